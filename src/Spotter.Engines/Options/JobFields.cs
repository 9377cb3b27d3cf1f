using System.Globalization;
using System.Text;

namespace Spotter.Engines.Options;

/// <summary>What a request says beside its inputs, as it was sent: names and their text.</summary>
public sealed class JobFields
{
    /// <summary>Most characters of a field.</summary>
    public const int Longest = 8 * 1024;

    private readonly SortedDictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>The text of a field; null when it was not sent.</summary>
    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>The names of the fields that were sent.</summary>
    public IEnumerable<string> Names => values.Keys;

    /// <summary>All of them, always written the same way.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder();
            foreach (var (name, value) in values)
                text.Append(CultureInfo.InvariantCulture, $"{name}:{value.Length}:{value};");
            return text.ToString();
        }
    }

    /// <summary>True when the field was sent.</summary>
    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>Notes a field; false when it is there already.</summary>
    public bool TryAdd(string name, string value) => values.TryAdd(name, value);

    /// <summary>Notes one more of a list of values.</summary>
    public void Append(string name, string value) => values[name] = values.TryGetValue(name, out var earlier) ? $"{earlier},{value}" : value;
}
