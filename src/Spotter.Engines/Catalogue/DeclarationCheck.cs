using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Joined;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Engines.Catalogue;

/// <summary>
/// What an engine of a worker may say of itself. All of it ends in answers, error texts and on the page, so it is short and plain;
/// and nothing of it may mean something else already.
/// </summary>
/// <param name="engines">The engines that Spotter brings.</param>
public sealed class DeclarationCheck(EngineCatalogue engines)
{
    /// <summary>Most engines of one worker.</summary>
    public const int MostEngines = 16;

    private const int LongestName = 64;
    private const int LongestVersion = 64;
    private const int LongestHelp = 300;
    private const int LongestChoice = 64;
    private const int MostOptions = 64;
    private const int MostChoices = 64;
    private const int MostTypes = 32;
    private const int MostInputs = 1000;
    private const long MostBytes = 4L << 30;
    private const double LongestRun = 24 * 3600;
    private const double LargestWhole = 1L << 53;

    /// <summary>Names of parts and fields that every request may have.</summary>
    private static readonly HashSet<string> Reserved = new(["image", "file", "url", "name", "size", "contenttype", "content_type", "min", "api_key", "key"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Refuses a declaration that can't be.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: what is wrong, and what it may be.</exception>
    public void Check(EngineDeclaration? engine)
    {
        if (engine is null)
            throw Invalid("The worker declares an engine that is null.");
        if (!IsName(engine.Name, LongestName, '-'))
            throw Invalid($"The name of an engine is 1 to {LongestName} lower-case letters, digits, '-' and '_', the first of them a letter.");
        if (engine.Id is { } id && !(id.Length is > 0 and <= LongestName && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            throw Of(engine, $"has an id that can't be; it is 1 to {LongestName} letters, digits, '-' and '_'");
        if (engines.Compiled.Any(e => e.Name == engine.Name) || engine.Name == QueueNames.WorkflowEngine)
            throw Of(engine, "has the name of one that comes with Spotter; choose another one");
        if (engine.Version is not { Length: > 0 and <= LongestVersion } version || !version.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+'))
            throw Of(engine, $"has a version that can't be; it is 1 to {LongestVersion} letters, digits, '.', '-', '_' and '+'");
        if (!IsPlain(engine.Help, LongestHelp))
            throw Of(engine, $"has a help text that can't be; it is at most {LongestHelp} characters on one line");
        if (engine.MediaTypes.Count > MostTypes || !engine.MediaTypes.All(IsMediaTypes))
            throw Of(engine, $"takes media types that can't be; they are at most {MostTypes}, as image/png or video/*, in lower case");
        if (engine.MaxInputBytes is < 1 or > MostBytes)
            throw Of(engine, $"has a maxInputBytes that is not from 1 to {MostBytes}");
        if (engine.MaxInputs is < 1 or > MostInputs)
            throw Of(engine, $"has a maxInputs that is not from 1 to {MostInputs}");
        if (engine.RunSeconds is { } run && !(run is > 0 and <= LongestRun))
            throw Of(engine, $"has runSeconds that are not more than 0 and at most {LongestRun}");
        if (engine.MaxOutputBytes is < 0 or > MostBytes)
            throw Of(engine, $"has a maxOutputBytes that is not from 0 to {MostBytes}");
        // It is shown by browsers, under the address of the service.
        if (engine.OutputMediaType is { } made && !InputTerms.Pictures.Contains(made, StringComparer.Ordinal))
            throw Of(engine, $"has an outputMediaType that is none of {string.Join(", ", InputTerms.Pictures)}; anything else is a file of the job");
        if (engine.Options.Count > MostOptions)
            throw Of(engine, $"has more than {MostOptions} options");
        foreach (var option in engine.Options)
            Check(engine, option);
        if (engine.Options.DistinctBy(o => o.Name, StringComparer.Ordinal).Count() < engine.Options.Count)
            throw Of(engine, "has two options of one name");
    }

    private void Check(EngineDeclaration engine, DeclaredOption? option)
    {
        if (option is null || !IsName(option.Name, LongestName, '_'))
            throw Of(engine, $"has an option whose name can't be; it is 1 to {LongestName} lower-case letters, digits and '_', the first of them a letter");
        var special = engines.Compiled.OfType<IOfferedEngine>().SelectMany(e => e.Options).Where(o => o.Traits != OptionTraits.None);
        if (Reserved.Contains(option.Name) || special.Concat(engines.Choosing).Concat(ScheduleOptions.All).Any(o => o.Name == option.Name))
            throw Of(engine, option, "has a name that means something else in every request; choose another one");
        if (!IsPlain(option.Help, LongestHelp))
            throw Of(engine, option, $"has a help text that can't be; it is at most {LongestHelp} characters on one line");
        if (option.Type is not (DeclaredOption.OfText or DeclaredOption.OfChoice or DeclaredOption.OfWhole or DeclaredOption.OfNumber or DeclaredOption.OfFlag or DeclaredOption.OfJson))
            throw Of(engine, option, "has a type that is none of text, choice, whole, number, flag and json");
        if ((option.Min is { } min && !double.IsFinite(min)) || (option.Max is { } max && !double.IsFinite(max)) || option.Min > option.Max)
            throw Of(engine, option, "has a min and a max between which nothing lies");
        if (option.Type == DeclaredOption.OfWhole && (option.Min is < -LargestWhole || option.Max is > LargestWhole))
            throw Of(engine, option, "has a min or a max that not every program can read; whole numbers go from -9007199254740992 to 9007199254740992");
        if (option.Type == DeclaredOption.OfText && option.Max is { } longest && (longest is < 1 or > JobFields.Longest || longest != Math.Floor(longest)))
            throw Of(engine, option, $"has a max that is not from 1 to {JobFields.Longest} characters");
        if (option.Choices.Count > MostChoices || option.Choices.Any(c => c is not { Length: > 0 } || !IsPlain(c, LongestChoice)) || (option.Type == DeclaredOption.OfChoice) != (option.Choices.Count > 0))
            throw Of(engine, option, $"has choices that can't be; a choice has 1 to {MostChoices} of at most {LongestChoice} characters, and no other type has any");
        if (option.Default is { } value && !IsDefault(option, value))
            throw Of(engine, option, "has a default that it would not take");
    }

    private static bool IsDefault(DeclaredOption option, RawJson value)
    {
        if (value.Utf8.Length > JobFields.Longest || !ResultCheck.IsSound(value.Utf8.Span))
            return false;
        var reader = new Utf8JsonReader(value.Utf8.Span);
        reader.Read();
        var fits = option.Type switch
        {
            DeclaredOption.OfFlag => reader.TokenType is JsonTokenType.True or JsonTokenType.False,
            DeclaredOption.OfWhole or DeclaredOption.OfNumber => reader.TokenType == JsonTokenType.Number,
            DeclaredOption.OfJson => reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject,
            _ => reader.TokenType == JsonTokenType.String,
        };
        return fits && new OptionReader(option) is var read && read.Values.Accepts(read.Option.Default!);
    }

    private static bool IsName(string? name, int longest, char also) =>
        name is { Length: > 0 } && name.Length <= longest && char.IsAsciiLetterLower(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_' || c == also);

    private static bool IsPlain(string text, int longest) => text.Length <= longest
        && !text.Any(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static bool IsMediaTypes(string? type) => type is not null && (OutputRef.IsMediaType(type) || (type.EndsWith("/*", StringComparison.Ordinal) && OutputRef.IsMediaType(type[..^1] + "a")));

    private static SpotterException Of(EngineDeclaration engine, DeclaredOption option, string what) => Invalid($"The option '{option.Name}' of the engine '{engine.Name}' {what}.");

    private static SpotterException Of(EngineDeclaration engine, string what) => Invalid($"The engine '{engine.Name}' {what}.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
