using System.Globalization;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Docs;

/// <summary>
/// What a reader puts in place of the words of the docs. The commands are otherwise run as they stand, so each rule here is
/// for all pages.
/// </summary>
/// <param name="Folder">The reader's folder.</param>
/// <param name="Address">Where the service listens, as HOST:PORT.</param>
/// <param name="Cameras">The port for camera software.</param>
/// <param name="Endpoint">Where the reader gets webhooks, as HOST:PORT.</param>
/// <param name="Examples">Where the examples listen, as HOST:PORT; null until they are started.</param>
/// <param name="Postgres">The reader's database; null where the page needs none.</param>
internal sealed partial record DocsWords(string Folder, string Address, int Cameras, string Endpoint, string? Examples, string? Postgres)
{
    /// <summary>The database of the docs.</summary>
    public const string PostgresUrl = "postgres://spotter:PASSWORD@db.example:5432/spotter?sslmode=verify-full";

    /// <summary>The bucket of the docs.</summary>
    public const string Bucket = "s3://my-pictures";

    // Enough to see whether a load test works.
    private const string FewJobs = "--jobs 12";

    /// <summary>The commands as the reader types them.</summary>
    /// <param name="commands">As they stand in the docs.</param>
    /// <param name="id">The id of the newest job.</param>
    public string Fill(string commands, string? id)
    {
        var typed = commands
            .Replace("127.0.0.1:8080", Address, StringComparison.Ordinal)
            .Replace("32168", Cameras.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("HOST:8080", Address, StringComparison.Ordinal)
            .Replace("GATEWAY:8080", Address, StringComparison.Ordinal)
            .Replace("127.0.0.1:PORT", Examples ?? "127.0.0.1:PORT", StringComparison.Ordinal)
            .Replace("https://example.com/", $"http://{Endpoint}/", StringComparison.Ordinal)
            .Replace(PostgresUrl, Postgres ?? PostgresUrl, StringComparison.Ordinal)
            .Replace("/mnt/pictures", $"{Folder}/pictures", StringComparison.Ordinal)
            .Replace("--dataset DIR", "--dataset labelled", StringComparison.Ordinal)
            .Replace(" MODEL ", " starter ", StringComparison.Ordinal)
            .Replace("2026-01-31", Today, StringComparison.Ordinal)
            // Tests stay on this machine.
            .Replace("--host 0.0.0.0", "--host 127.0.0.1", StringComparison.Ordinal);
        typed = Jobs().Replace(typed, FewJobs);
        typed = Remote().Replace(typed, m => m.Value.Contains(" --url ", StringComparison.Ordinal) || m.Value.Contains(" --check ", StringComparison.Ordinal) ? m.Value : $"{m.Value} --url http://{Address}");
        return Ids().Replace(typed, id ?? "ID");
    }

    /// <summary>True if the commands name a job.</summary>
    public static bool NamesJob(string commands) => Ids().IsMatch(commands);

    private static string Today => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>True if the commands need a service that listens where the docs say.</summary>
    public static bool NeedService(string commands) =>
        commands.Contains(":8080", StringComparison.Ordinal) || Remote().IsMatch(commands);

    /// <summary>True if a command goes on until it is stopped.</summary>
    public static bool IsService(string command) => Service().IsMatch(command);

    [GeneratedRegex(@"--jobs \d+", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Jobs();

    // They look at the port of the docs unless told otherwise.
    [GeneratedRegex(@"^\./spotter (queue|load|watch) [^|>\n]*[^|>\s]", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Remote();

    [GeneratedRegex(@"\bID\b", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"^([A-Z_]+=\S+ )*(\./spotter (serve|gateway|worker)\b|dotnet tests/|python3 \S+ --server )", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Service();
}
