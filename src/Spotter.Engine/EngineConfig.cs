using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spotter.Engine;

/// <summary>
/// What an engine is told by a configuration file: a YAML file with sections, of the form that engines of the earlier service have
/// (docs/engines.md). It counts more than what the code declares.
/// </summary>
internal sealed class EngineConfig
{
    private const int LargestFile = 64 * 1024;
    private const int MostLanes = 256;

    private static readonly Dictionary<string, string> MediaTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["JSON"] = "application/json",
        ["Image"] = "image/*",
        ["Video"] = "video/*",
        ["File"] = "application/octet-stream",
    };

    private static readonly Dictionary<string, LogLevel> Levels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["TRACE"] = LogLevel.Trace,
        ["DEBUG"] = LogLevel.Debug,
        ["INFO"] = LogLevel.Information,
        ["WARNING"] = LogLevel.Warning,
        ["WARN"] = LogLevel.Warning,
        ["ERROR"] = LogLevel.Error,
        ["CRITICAL"] = LogLevel.Critical,
    };

    private readonly Dictionary<string, YamlNode> given = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> used = new(StringComparer.OrdinalIgnoreCase) { "INPUTS.NAMES", "OUTPUTS.NAMES", "OUTPUTS.TYPES" };
    private readonly string file;

    private EngineConfig(string file) => this.file = file;

    /// <summary>Its id, by which sessions may choose it; null for none.</summary>
    public string? Id { get; private set; }

    /// <summary>What it does; null for what the code says.</summary>
    public string? Help { get; private set; }

    /// <summary>Jobs at a time; null where it does not say.</summary>
    public int? Lanes { get; private set; }

    /// <summary>How long a job may run, in seconds; null for what the code says.</summary>
    public double? RunSeconds { get; private set; }

    /// <summary>What its inputs may be; null for what the code says.</summary>
    public IReadOnlyList<string>? Inputs { get; private set; }

    /// <summary>True when it has several inputs, which belong to one job.</summary>
    public bool Together { get; private set; }

    /// <summary>The least that is worth a line in the log.</summary>
    public LogLevel LogLevel { get; private set; } = LogLevel.Information;

    /// <summary>What the file has that means nothing here.</summary>
    public IEnumerable<string> Idle => given.Keys.Where(key => !used.Contains(key));

    /// <summary>Reads a file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it can't be read, or says what can't be.</exception>
    public static EngineConfig Read(string file)
    {
        try
        {
            var text = File.ReadAllText(file);
            return text.Length <= LargestFile ? Parse(text, file) : throw new SpotterException(ErrorCodes.InvalidSettings, $"The configuration {file} has more than {LargestFile} characters.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The configuration {file} can't be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">How to call it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public static EngineConfig Parse(string text, string file)
    {
        var config = new EngineConfig(file);
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException wrong)
        {
            throw config.Wrong($"line {wrong.Start.Line} is no YAML: {wrong.Message}");
        }
        if (yaml.Documents is not [{ RootNode: YamlMappingNode root }])
            throw config.Wrong("it is to have sections, as ENGINE, LOG and CLIENT, with a name and a value on each line");
        foreach (var (section, content) in root)
        {
            if (section is not YamlScalarNode { Value: { } name } || content is not YamlMappingNode values)
                throw config.Wrong($"line {section.Start.Line} is no section with names and values below it");
            foreach (var (key, value) in values)
                config.given[$"{name}.{key}"] = value;
        }
        config.Read();
        return config;
    }

    /// <summary>The engines as the file has them.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it gives one id to several engines.</exception>
    public IReadOnlyList<IJobEngine> Apply(IReadOnlyList<IJobEngine> engines)
    {
        if (Id is not null && engines.Count > 1)
            throw Wrong("it gives one ENGINE.ID, and the program has several engines");
        return [.. engines.Select(engine => new Configured(engine, engine.Declaration with
        {
            Id = Id ?? engine.Declaration.Id,
            Help = Help ?? engine.Declaration.Help,
            RunSeconds = RunSeconds ?? engine.Declaration.RunSeconds,
            MediaTypes = Inputs ?? engine.Declaration.MediaTypes,
            Together = Inputs is null ? engine.Declaration.Together : Together,
        }))];
    }

    private void Read()
    {
        Id = Text("ENGINE.ID");
        Help = Text("ENGINE.NAME");
        var (most, usual) = (Count("ENGINE.MAX_WORKER"), Count("ENGINE.DEFAULT_WORKER_COUNT"));
        if (most < usual)
            throw Wrong("ENGINE.MAX_WORKER is less than ENGINE.DEFAULT_WORKER_COUNT");
        Lanes = most ?? usual;
        RunSeconds = Text("CLIENT.WORKER_INACTIVE_TIMEOUT") is { } seconds
            ? double.TryParse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var time) && time > 0 && double.IsFinite(time) ? time : throw Wrong("CLIENT.WORKER_INACTIVE_TIMEOUT is a number of seconds, more than 0")
            : null;
        if (Text("LOG.STDOUT_LEVEL") is { } level)
            LogLevel = Levels.TryGetValue(level, out var known) ? known : throw Wrong($"LOG.STDOUT_LEVEL is one of {string.Join(", ", Levels.Keys)}");
        if (Find("INPUTS.TYPES") is not { } types)
            return;
        var names = (types as YamlSequenceNode)?.Select(n => (n as YamlScalarNode)?.Value ?? "").ToList() ?? throw Wrong("INPUTS.TYPES is a list");
        Inputs = [.. names.Select(n => MediaTypes.GetValueOrDefault(n) ?? throw Wrong($"INPUTS.TYPES is a list of {string.Join(", ", MediaTypes.Keys)}")).Distinct(StringComparer.Ordinal)];
        Together = names.Count > 1;
    }

    private YamlNode? Find(string key)
    {
        used.Add(key);
        return given.GetValueOrDefault(key);
    }

    private string? Text(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value: { Length: > 0 } text } => text,
        _ => throw Wrong($"{key} is no text or number"),
    };

    private int? Count(string key) => Text(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MostLanes ? count
        : throw Wrong($"{key} is from 1 to {MostLanes}");

    private SpotterException Wrong(string what) => new(ErrorCodes.InvalidSettings, $"The configuration {file} can't be used: {what}.");

    /// <summary>An engine that declares something else.</summary>
    private sealed class Configured(IJobEngine engine, EngineDeclaration declaration) : IJobEngine
    {
        public EngineDeclaration Declaration => declaration;

        public Task<JsonObject> RunAsync(EngineWork work, CancellationToken cancel) => engine.RunAsync(work, cancel);
    }
}
