using System.Globalization;
using System.Text.Json;
using Spotter.Engines.Running;

namespace Spotter.Cli.Serve;

/// <summary>The lines by which a gateway tells the workers that it started what to do.</summary>
internal static class WorkerOrder
{
    private const string Models = "models ";
    private const string Token = "token ";

    /// <summary>The line that tells the worker token, the first one.</summary>
    public static string HaveToken(string token) => Token + token;

    /// <summary>The token that a line tells; null when it tells none.</summary>
    public static string? TokenOf(string? line) => line?.StartsWith(Token, StringComparison.Ordinal) == true ? line[Token.Length..] : null;

    /// <summary>
    /// Whether a line orders to drain (<c>drain</c> for good, <c>drain N</c> by order number N) or to stay after all
    /// (<c>stay N</c>); null when it is neither.
    /// </summary>
    public static (int Number, bool Drain)? DrainOf(string line) => line.Split(' ') switch
    {
        ["drain"] => (int.MaxValue, true),
        ["drain", var text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => (number, true),
        ["stay", var text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => (number, false),
        _ => null,
    };

    /// <summary>The order to have these models and no others.</summary>
    public static string HaveModels(IReadOnlyList<WantedModel> models) => Models + JsonSerializer.Serialize(models, WorkerOrderJson.Default.IReadOnlyListWantedModel);

    /// <summary>The models that a line orders; null when it is no such order.</summary>
    public static IReadOnlyList<WantedModel>? ModelsOf(string line) =>
        line.StartsWith(Models, StringComparison.Ordinal) ? JsonSerializer.Deserialize(line.AsSpan(Models.Length), WorkerOrderJson.Default.IReadOnlyListWantedModel) : null;
}
