using Spotter.Core.Files;

namespace Spotter.Core.Settings;

/// <summary>
/// Reads declared settings from wherever they are given. Mistakes are gathered, so that all of them can be told at once: a
/// setting that is wrong reads as its default until <see cref="ThrowIfWrong"/> is called.
/// </summary>
public sealed class SettingReader
{
    private readonly IReadOnlyList<ISettingSource> sources;
    private readonly IReadOnlyList<ISecretPlace> places;
    private readonly string prefix;
    private readonly List<string> mistakes;

    /// <summary>Reads from sources, of which the first one that gives a setting counts.</summary>
    /// <param name="sources">Where settings are given.</param>
    /// <param name="places">From where secrets are read besides files.</param>
    public SettingReader(IReadOnlyList<ISettingSource> sources, IReadOnlyList<ISecretPlace>? places = null)
        : this(sources, places ?? [], "", [])
    {
    }

    private SettingReader(IReadOnlyList<ISettingSource> sources, IReadOnlyList<ISecretPlace> places, string prefix, List<string> mistakes)
    {
        this.sources = sources;
        this.places = places;
        this.prefix = prefix;
        this.mistakes = mistakes;
    }

    /// <summary>What is wrong, a sentence each.</summary>
    public IReadOnlyList<string> Mistakes => mistakes;

    /// <summary>The names that are given on this level, known or not.</summary>
    public IReadOnlyList<string> Names => [.. sources.SelectMany(s => s.NamesBelow(prefix.TrimEnd('.'))).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>True when somebody has given it.</summary>
    public bool Has(Setting setting) => SourceOf(setting) is not null;

    /// <summary>The value.</summary>
    public T Get<T>(Setting<T> setting)
    {
        if (SourceOf(setting) is not var (source, texts))
            return setting.Default;
        if (texts is not [var text])
        {
            Mistake($"{source.NameOf(prefix + setting.Key)} takes {(texts.Count == 0 ? "a value, and has none" : $"one value, and has {texts.Count}")}.");
            return setting.Default;
        }
        return Read(setting, source, text) is (true, var value) ? value : setting.Default;
    }

    /// <summary>The values of a setting that may have several; empty when nobody gives one.</summary>
    public IReadOnlyList<T> GetList<T>(Setting<T> setting)
    {
        if (SourceOf(setting) is not var (source, texts))
            return [];
        var values = new List<T>();
        foreach (var text in texts)
        {
            if (Read(setting, source, text) is (true, var value))
                values.Add(value);
        }
        return values;
    }

    /// <summary>A secret that is given itself or in a file; null when it is not given.</summary>
    public string? GetSecret(Setting<string?> secret, Setting<string?> file)
    {
        // Of the two, what is given nearer to the start of the program.
        var (own, other) = (RankOf(secret), RankOf(file));
        if (own is not null && own == other)
            Mistake($"{NameOf(secret)} and {NameOf(file)} are both given; give one of them.");
        if (Get(file) is not { } path || own < other)
            return Get(secret);
        if (places.FirstOrDefault(place => place.Has(path)) is { } elsewhere)
            return ReadFrom(elsewhere, path, file);
        try
        {
            var text = RegularFile.ReadText(path, 64 * 1024).Trim();
            if (text.Length == 0)
                Mistake($"The file {path}, which {NameOf(file)} names, is empty; write the secret into it.");
            return text;
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            Mistake($"There is no file {path}, which {NameOf(file)} names; correct the name, or write the secret into such a file.");
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Mistake($"The file {path}, which {NameOf(file)} names, can't be read ({unreadable.Message.TrimEnd('.')}); give {Environment.UserName} the right to read it, or name another file.");
            return null;
        }
    }

    private string? ReadFrom(ISecretPlace place, string name, Setting file)
    {
        try
        {
            var text = place.Read(name);
            if (text.Length == 0)
                Mistake($"The secret {name}, which {NameOf(file)} names, is empty.");
            return text;
        }
        catch (SpotterException unreadable)
        {
            Mistake($"{NameOf(file)}: {unreadable.Message}");
            return null;
        }
    }

    /// <summary>
    /// The named groups below a key, each read by a reader of its own. One source's groups replace those of all others, so
    /// that pools on the command line don't mix with those in a file.
    /// </summary>
    public IReadOnlyList<(string Name, SettingReader Settings)> Groups(string key)
    {
        foreach (var source in sources)
        {
            if (source.NamesBelow(prefix + key) is not { Count: > 0 } names)
                continue;
            foreach (var name in names.Where(n => source.Find($"{prefix}{key}.{n}", isList: true) is { Count: > 0 }))
                Mistake($"{source.NameOf($"{prefix}{key}.{name}")} takes settings below it, not a text.");
            return [.. names.Select(name => (name, new SettingReader([source], places, $"{prefix}{key}.{name}.", mistakes)))];
        }
        return [];
    }

    /// <summary>What a setting is called where it was given; its flag or its key where it wasn't.</summary>
    public string NameOf(Setting setting) =>
        SourceOf(setting) is var (source, _) ? source.NameOf(prefix + setting.Key) : setting.Flag ?? prefix + setting.Key;

    /// <summary>Notes a mistake that only shows when several settings are seen together.</summary>
    public void Mistake(string sentence)
    {
        if (!mistakes.Contains(sentence, StringComparer.Ordinal))
            mistakes.Add(sentence);
    }

    /// <summary>Refuses what was given, if anything is wrong with it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: all mistakes.</exception>
    public void ThrowIfWrong()
    {
        if (mistakes.Count > 0)
            throw new SpotterException(ErrorCodes.InvalidSettings, string.Join(' ', mistakes));
    }

    private (bool Fits, T Value) Read<T>(Setting<T> setting, ISettingSource source, string text)
    {
        var read = setting.Values.Read(text);
        if (!read.Fits)
            Mistake($"{source.NameOf(prefix + setting.Key)} takes {setting.Words}{(setting.IsSecret ? "" : $", not {text}")}.");
        return read;
    }

    private int? RankOf(Setting setting)
    {
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Find(prefix + setting.Key, setting.IsList) is not null)
                return i;
        }
        return null;
    }

    private (ISettingSource Source, IReadOnlyList<string> Texts)? SourceOf(Setting setting) =>
        RankOf(setting) is { } rank ? (sources[rank], sources[rank].Find(prefix + setting.Key, setting.IsList)!) : null;
}
