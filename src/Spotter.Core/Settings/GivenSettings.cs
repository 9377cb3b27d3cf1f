namespace Spotter.Core.Settings;

/// <summary>Settings that are given by a program, or by its command line.</summary>
public sealed class GivenSettings : ISettingSource
{
    private readonly Dictionary<string, (string Name, List<string> Texts)> given = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Settings by key and value.</summary>
    public static SettingReader Reader(params IEnumerable<(string Key, string Text)> settings)
    {
        var source = new GivenSettings();
        foreach (var (key, text) in settings)
            source.Add(key, key, text);
        return new SettingReader([source]);
    }

    /// <summary>Gives a setting, or one more of its values.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="name">How to call it.</param>
    /// <param name="texts">Its values.</param>
    public void Add(string key, string name, params IReadOnlyList<string> texts)
    {
        if (!given.TryGetValue(key, out var one))
            given[key] = one = (name, []);
        one.Texts.AddRange(texts);
    }

    /// <summary>Takes a setting back; its values until then.</summary>
    public IReadOnlyList<string> Take(string key) => given.Remove(key, out var one) ? one.Texts : [];

    /// <inheritdoc/>
    public string NameOf(string key) => given.TryGetValue(key, out var one) ? one.Name : key;

    /// <inheritdoc/>
    public IReadOnlyList<string>? Find(string key, bool isList) => given.TryGetValue(key, out var one) ? one.Texts : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> NamesBelow(string key) =>
        [.. given.Keys.Where(k => k.StartsWith(key + ".", StringComparison.OrdinalIgnoreCase)).Select(k => k[(key.Length + 1)..].Split('.')[0]).Distinct(StringComparer.OrdinalIgnoreCase)];
}
