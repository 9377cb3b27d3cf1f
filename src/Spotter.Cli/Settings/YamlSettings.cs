using Spotter.Core;
using Spotter.Core.Files;
using Spotter.Core.Settings;
using Spotter.Vision.Models;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spotter.Cli.Settings;

/// <summary>Settings in a YAML file: maps of names, with texts, numbers and lists of those at their ends.</summary>
internal sealed class YamlSettings : ISettingSource
{
    private const int LargestFile = 1024 * 1024;
    private const int Deepest = 8;

    private readonly Dictionary<string, (IReadOnlyList<string> Texts, long Line)> given = new(StringComparer.OrdinalIgnoreCase);
    private readonly string name;

    private YamlSettings(string name) => this.name = name;

    /// <summary>All keys that are given.</summary>
    public IEnumerable<string> Keys => given.Keys;

    /// <summary>Reads a file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it can't be read, or is no such file.</exception>
    public static YamlSettings Read(string file)
    {
        try
        {
            // Not by its length: what is no file on a disk has none, and may have no end.
            using var stream = RegularFile.Open(file);
            var bytes = new byte[LargestFile + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > LargestFile)
                throw Invalid($"The settings file {file} is larger than {LargestFile} bytes; it is to hold settings, a line each.");
            using var text = new StreamReader(new MemoryStream(bytes, 0, length));
            return Parse(text.ReadToEnd(), Path.GetFileName(file));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The settings file {file} can't be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">How to call it.</param>
    public static YamlSettings Parse(string text, string name)
    {
        var settings = new YamlSettings(name);
        var yaml = new YamlStream();
        try
        {
            // Names are not repeated: a secret that begins with '*' reads as an alias.
            if (YamlShape.FlawOf(text, Deepest) is { } flaw)
                throw Invalid($"{name}, line {flaw.Line}: {flaw.Words}.");
            yaml.Load(new StringReader(text));
        }
        catch (YamlException wrong)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"{name} is no YAML, line {wrong.Start.Line}: {wrong.Message}", wrong);
        }
        if (yaml.Documents.Count > 1)
            throw Invalid($"{name} holds {yaml.Documents.Count} documents; keep one.");
        if (yaml.Documents is [var document] && !IsNothing(document.RootNode))
            settings.Add("", document.RootNode);
        return settings;
    }

    public string NameOf(string key) => given.TryGetValue(key, out var one) ? $"{key} ({name}, line {one.Line})" : $"{key} ({name})";

    public IReadOnlyList<string>? Find(string key, bool isList) => given.TryGetValue(key, out var one) ? one.Texts : null;

    public IReadOnlyList<string> NamesBelow(string key) =>
        [.. given.Keys
            .Where(k => key.Length == 0 || k.StartsWith(key + ".", StringComparison.OrdinalIgnoreCase))
            .Select(k => k[(key.Length == 0 ? 0 : key.Length + 1)..].Split('.')[0])
            .Distinct(StringComparer.OrdinalIgnoreCase)];

    private void Add(string key, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode { Children.Count: > 0 } map:
                foreach (var (child, value) in map.Children)
                {
                    if (child is not YamlScalarNode { Value: { Length: > 0 } part } || part.Contains('.', StringComparison.Ordinal))
                        throw Wrong(child, $"'{child}' is no name of a setting; write sections on lines of their own");
                    Add(key.Length == 0 ? part : $"{key}.{part}", value);
                }
                break;
            case YamlMappingNode or YamlScalarNode when key.Length > 0 && (node is YamlMappingNode || IsNothing(node)):
                Set(key, node, []);
                break;
            case YamlScalarNode { Value: { } text } when key.Length > 0:
                Set(key, node, [text]);
                break;
            case YamlSequenceNode list when key.Length > 0:
                Set(key, node, [.. list.Children.Select(c => c is YamlScalarNode { Value: { } text } ? text : throw Wrong(c, $"{key} takes a list of texts"))]);
                break;
            default:
                throw Wrong(node, key.Length == 0 ? "it holds no settings; write them as 'port: 8080'" : $"{key} can't be read; write a text, a number or a list");
        }
    }

    private void Set(string key, YamlNode node, IReadOnlyList<string> texts)
    {
        if (!given.TryAdd(key, (texts, node.Start.Line)))
            throw Wrong(node, $"{key} is given twice; keep one");
    }

    private static bool IsNothing(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    private SpotterException Wrong(YamlNode node, string what) => Invalid($"{name}, line {node.Start.Line}: {what}.");

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
