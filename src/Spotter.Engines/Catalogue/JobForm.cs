using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Engines.Catalogue;

/// <summary>
/// The fields of a request beside its inputs, on whatever way they came: checked against what the engines and the schedule
/// declare, and turned into what is to be done.
/// </summary>
/// <param name="engines">The engines that requests may choose from.</param>
public sealed class JobForm(EngineCatalogue engines)
{
    /// <summary>Most characters of a field. Nothing that can be said needs more, and what is refused is repeated.</summary>
    public const int LongestField = JobFields.Longest;

    private const int LongestName = 64;
    private const string Engine = "engine";
    private const string Model = "model";

    private const string Url = "url";
    private const int LongestUrl = 2048;

    private readonly JobFields fields = new();
    private readonly List<string> urls = [];

    /// <summary>True where inputs may be named by their URL, to be fetched.</summary>
    public bool TakesUrls { get; init; }

    /// <summary>The URLs of inputs, in the order in which they came.</summary>
    public IReadOnlyList<string> Urls => urls;

    /// <summary>All that was said so far, always written the same way, to tell a repeated request from another one.</summary>
    public string Text => fields.Text + string.Concat(urls.Select(url => $"{Url}:{url.Length}:{url};"));

    /// <summary>The fields so far and their texts, for <see cref="Set(string, string)"/> of another form.</summary>
    public IReadOnlyDictionary<string, string> Fields => fields.Names.ToDictionary(name => name, name => fields[name]!, StringComparer.Ordinal);

    /// <summary>True for the name of a field.</summary>
    public bool Knows(string name) => engines.FindOption(name) is not null;

    /// <summary>Notes a field.</summary>
    /// <exception cref="SpotterException">It is unknown, too long, or comes twice.</exception>
    public void Set(string name, string value)
    {
        if (name == Url)
        {
            SetUrl(value);
            return;
        }
        if (engines.FindOption(name) is not { } option)
            throw Invalid($"The field '{(name.Length <= LongestName ? name : name[..LongestName] + "…")}' is unknown; known are image, {Known()}.");
        if (value.Length > LongestField)
            throw Invalid($"The field '{name}' is longer than {LongestField} characters.");
        if (option.Is(OptionTraits.Repeats))
            fields.Append(name, value);
        else if (!fields.TryAdd(name, value))
            throw Invalid($"The field '{name}' comes twice.");
    }

    /// <summary>As <see cref="Set(string, string)"/>, for a field that comes in the address of a request, which ends in the logs of everybody on the way.</summary>
    /// <exception cref="SpotterException">Also: it is a secret.</exception>
    public void SetFromAddress(string name, string value)
    {
        if (name == Url || engines.FindOption(name)?.Is(OptionTraits.Secret) == true)
            throw Invalid($"The field '{name}' does not belong into the address, where others can see it; send it as a part of a multipart form.");
        Set(name, value);
    }

    /// <summary>As <see cref="Set(string, string)"/>, for a value in JSON: of the option's type, or its text; a list where an option may come several times or is one.</summary>
    /// <exception cref="SpotterException">Also: it can't be a value.</exception>
    public void Set(string name, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                break;
            case JsonValueKind.String:
                Set(name, value.GetString()!);
                break;
            case JsonValueKind.True or JsonValueKind.False or JsonValueKind.Number:
                Set(name, value.GetRawText());
                break;
            case JsonValueKind.Array when (name == Url || engines.FindOption(name)?.Is(OptionTraits.Repeats) == true) && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String):
                foreach (var one in value.EnumerateArray())
                    Set(name, one.GetString()!);
                break;
            case JsonValueKind.Array or JsonValueKind.Object when engines.TakesStructure(name):
                Set(name, value.GetRawText());
                break;
            default:
                throw Invalid($"The field '{name}' is a list or an object; it is {engines.FindOption(name)?.Values.Words ?? "unknown"}.");
        }
    }

    private void SetUrl(string value)
    {
        if (!TakesUrls)
            throw new SpotterException(ErrorCodes.UnsupportedOption, $"The field '{Url}' is not offered here; send the picture itself.");
        if (value.Length > LongestUrl)
            throw Invalid($"The field '{Url}' is longer than {LongestUrl} characters.");
        urls.Add(value);
    }

    /// <summary>When and how the jobs are to be run, as far as is said by now.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public JobSchedule Schedule() => ScheduleOptions.Read(fields).Schedule;

    /// <summary>The engine that was named by now; null while none was.</summary>
    public IOfferedEngine? Named() => fields[Engine] is { } name
        ? engines.FindOffered(name)
        : engines.Offered.FirstOrDefault(e => e.Options.Any(o => o.Is(OptionTraits.ChoosesEngine) && fields.Has(o.Name)));

    /// <summary>
    /// What may come in as an input, by what is said by now. While nobody knows the engine, all that any engine takes: what
    /// it then really takes is judged by <see cref="Resolve"/>.
    /// </summary>
    /// <param name="models">The models that there are.</param>
    /// <param name="deployment">How many bytes the deployment lets in, where the engine does not say.</param>
    /// <param name="isComplete">True when no more fields can come.</param>
    public InputTerms Terms(IReadOnlyList<ModelInfo> models, long deployment, bool isComplete)
    {
        if (Named() is { } named)
            return named.Limits.TermsFor(named.Name);
        if (fields.Has(Engine))
            return InputTerms.Default;
        var (id, known) = (fields[Model], models.Where(m => engines.FindOffered(m.Engine) is not null));
        if (id is null && !isComplete)
            return engines.AnyTerms(deployment);
        return known.FirstOrDefault(m => id is null || m.Id == id) is { } model ? engines.FindOffered(model.Engine)!.Limits.TermsFor(model.Engine) : InputTerms.Default;
    }

    /// <summary>What is to be done with these inputs.</summary>
    /// <exception cref="SpotterException">What is wrong, and what it may be.</exception>
    public JobRequest Resolve(IReadOnlyList<ModelInfo> models, IReadOnlyList<InputRef> inputs)
    {
        var engine = Named();
        RefuseStrays(engine);
        var model = engine is { NeedsModel: false } ? null : ChooseModel(models, engine);
        if (engine is null)
            RefuseStrays(engine = engines.FindOffered(model!.Engine)!);
        Check(inputs, engine);
        var (schedule, notify) = ScheduleOptions.Read(fields);
        var request = engine.Prepare(fields, model, models, inputs.Count);
        model = request.RunBy ?? model;
        return new JobRequest
        {
            Engine = engine.Name,
            Model = model?.Id,
            Then = request.Then?.Id,
            ModelVersion = request.Then is { } then ? JobRequest.VersionOf(model!.Version, then.Version) : model?.Version,
            Parameters = request.Parameters,
            CacheParameters = request.CacheParameters,
            Together = request.Together,
            PixelsPerRun = request.PixelsPerRun,
            Schedule = schedule,
            Notify = notify,
            Text = Text,
        };
    }

    /// <summary>Refuses what means nothing to the engine; to no engine that takes a model, while none is named.</summary>
    private void RefuseStrays(IOfferedEngine? engine)
    {
        IReadOnlyList<IOfferedEngine> possible = engine is null ? [.. engines.Offered.Where(e => e.NeedsModel)] : [engine];
        foreach (var name in fields.Names)
        {
            if (name == Engine || ScheduleOptions.All.Any(o => o.Name == name) || possible.Any(e => Understands(e, name)))
                continue;
            if (engines.Offered.Where(e => Understands(e, name)).ToList() is [var owner])
                throw Invalid($"The field '{name}' belongs to the engine '{owner.Name}'; send engine={owner.Name} with it, or leave it out.");
            throw Invalid($"The field '{name}' means nothing to the engine '{engine?.Name ?? possible[0].Name}'; leave it out.");
        }
    }

    private static bool Understands(IOfferedEngine engine, string name) =>
        (name == Model && engine.NeedsModel) || engine.Options.Any(o => o.Name == name) || engine.Ignored.Contains(name, StringComparer.Ordinal);

    private ModelInfo ChooseModel(IReadOnlyList<ModelInfo> models, IOfferedEngine? engine)
    {
        var (name, id) = (fields[Engine], fields[Model]);
        if (models.Count == 0 && (name is null || engine is not null))
        {
            throw new SpotterException(ErrorCodes.NoModel,
                "There is no model yet; put an .onnx file into the folder 'models' of the data folder, or start a worker that has one. Either is noticed within seconds.");
        }
        if (name is not null && !models.Any(m => engine?.Takes(m) == true))
        {
            var there = engines.Offered.Where(e => !e.NeedsModel || models.Any(e.Takes)).OrderByDescending(e => e.NeedsModel).Select(e => e.Name);
            throw new SpotterException(ErrorCodes.UnknownEngine, $"There is no engine '{name}'; there is {Join(there)}.");
        }
        return models.FirstOrDefault(m => (id is null || m.Id == id) && (engine?.Takes(m) ?? engines.FindOffered(m.Engine) is not null))
            ?? throw new SpotterException(ErrorCodes.UnknownModel,
                $"There is no model '{id}'{(name is null ? "" : $" for the engine '{name}'")}; there is {Join(models.Select(m => m.Id))}.");
    }

    private static void Check(IReadOnlyList<InputRef> inputs, IOfferedEngine engine)
    {
        var terms = engine.Limits.TermsFor(engine.Name);
        if (inputs.Count > terms.MaxInputs)
            throw terms.TooMany(inputs.Count);
        if (inputs.FirstOrDefault(i => terms.Take(i.MediaType) is null) is { } other)
            throw terms.NotTaken(other.MediaType);
        if (terms.MaxBytes is { } most && inputs.Sum(i => i.Bytes) > most)
            throw terms.TooLarge(most);
    }

    /// <summary>The fields that all engines for models take, then those of each other engine.</summary>
    private string Known()
    {
        var others = engines.Offered.Where(e => !e.NeedsModel).ToList();
        var usual = engines.Options.Where(o => !others.Exists(e => e.Options.Contains(o))).Select(o => o.Name);
        return string.Join(", and for the engine ", [string.Join(", ", usual), .. others.Select(e => $"'{e.Name}' {string.Join(", ", e.Options.Select(o => o.Name))}")]);
    }

    private static string Join(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
