using System.CommandLine;

namespace Spotter.Cli.Serve;

/// <summary>The options that say where pictures are kept. Credentials are none: the environment, a profile or a role has them.</summary>
internal static class BlobOptions
{
    private const string PlaceVariable = "SPOTTER__BLOBS";
    private const string EndpointVariable = "SPOTTER__S3__ENDPOINT";
    private const string RegionVariable = "SPOTTER__S3__REGION";

    private static readonly Option<string?> Place = new("--blobs")
    {
        HelpName = "PLACE",
        Description = $"Where pictures are kept: folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX. Default: what {PlaceVariable} says, else `blobs` in the data folder.",
    };

    private static readonly Option<string?> Endpoint = new("--s3-endpoint")
    {
        HelpName = "URL",
        Description = $"A server that speaks S3. Default: what {EndpointVariable} says, else Amazon's.",
    };

    private static readonly Option<string?> Region = new("--s3-region")
    {
        HelpName = "REGION",
        Description = $"The bucket's region. Default: what {RegionVariable} says, else the environment's or the profile's.",
    };

    // No variable says so: it is for one start, and would go on for good in a service's environment.
    private static readonly Option<bool> Adopt = new("--adopt-blobs")
    {
        Description = "Take over a folder or bucket that another job store may own. This DELETES all pictures in it that this job store doesn't know. Use it for one start only.",
    };

    /// <summary>Adds them to a command.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Place);
        command.Add(Endpoint);
        command.Add(Region);
        command.Add(Adopt);
    }

    /// <summary>The settings with what was asked for.</summary>
    public static ServeSettings Read(ParseResult parsed, ServeSettings settings) => settings with
    {
        Blobs = parsed.GetValue(Place) ?? Variable(PlaceVariable),
        S3Endpoint = parsed.GetValue(Endpoint) ?? Variable(EndpointVariable),
        S3Region = parsed.GetValue(Region) ?? Variable(RegionVariable),
        AdoptBlobs = parsed.GetValue(Adopt),
    };

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
