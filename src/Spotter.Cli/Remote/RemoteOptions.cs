using System.CommandLine;
using Spotter.Core;

namespace Spotter.Cli.Remote;

/// <summary>The options of commands that talk to a running service.</summary>
internal static class RemoteOptions
{
    /// <summary>The environment variable that may hold the API key.</summary>
    public const string KeyVariable = "SPOTTER__KEY";

    /// <summary>Where the service is.</summary>
    public static readonly Option<Uri> Url = new("--url")
    {
        HelpName = "URL",
        Description = "The service, as http://host:8080. Default: http://127.0.0.1:8080.",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:8080"),
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https"))
                return url;
            result.AddError("--url takes an address like http://host:8080.");
            return null!;
        },
    };

    /// <summary>A file with the API key: never an argument, since those can be seen by everyone.</summary>
    public static readonly Option<string?> KeyFile = new("--key-file")
    {
        HelpName = "FILE",
        Description = $"File with an API key of the service. Default: what {KeyVariable} says, else none.",
    };

    /// <summary>A client as the options ask for it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="connections">Most connections at a time.</param>
    /// <exception cref="SpotterException">The key file can't be read.</exception>
    public static ServiceClient Client(ParseResult parsed, int connections = 4) =>
        Client(parsed, parsed.GetRequiredValue(Url), connections);

    /// <summary>A client of another service than the options name, with the key that they give.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="url">The service.</param>
    /// <param name="connections">Most connections at a time.</param>
    /// <exception cref="SpotterException">The key file can't be read.</exception>
    public static ServiceClient Client(ParseResult parsed, Uri url, int connections) =>
        new(url, ReadKey(parsed), connections);

    /// <summary>The API key that the options, or the environment, give; null for none.</summary>
    /// <exception cref="SpotterException">The key file can't be read.</exception>
    public static string? ReadKey(ParseResult parsed)
    {
        var file = parsed.GetValue(KeyFile);
        if (file is null)
            return Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key.Trim() : null;
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The key file {file} can't be read: {unreadable.Message}", unreadable);
        }
    }
}
