using System.Text;

namespace Spotter.Cli.Watch;

/// <summary>The topics of a source at a broker.</summary>
/// <param name="Prefix">What all of them begin with.</param>
/// <param name="Id">The source's name as a level of a topic; see <see cref="IdOf"/>.</param>
internal sealed record MqttTopics(string Prefix, string Id)
{
    /// <summary>What was found last.</summary>
    public string State => $"{Prefix}/{Id}/state";

    /// <summary><c>online</c> while the source and the service can be used, else <c>offline</c>.</summary>
    public string Availability => $"{Prefix}/{Id}/availability";

    /// <summary>The last picture with what was found drawn into it.</summary>
    public string Image => $"{Prefix}/{Id}/image";

    /// <summary>
    /// A name as brokers and Home Assistant take it: a to z in small letters, digits, - and _; anything else becomes _. Null when
    /// nothing of the name is left.
    /// </summary>
    public static string? IdOf(string name)
    {
        var id = new StringBuilder(name.Length);
        foreach (var c in name.ToLowerInvariant())
            id.Append(char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '_');
        var text = id.ToString().Trim('_');
        return text.Length == 0 ? null : text;
    }

    /// <summary>True for what topics may begin with.</summary>
    public static bool IsPrefix(string text) =>
        text.Length is > 0 and <= 200 && text[0] is not ('/' or '$') && text[^1] != '/' && text.AsSpan().IndexOfAny("+#\0") < 0;
}
