using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>The earlier services whose workers Spotter can take the place of; docs/compat-messages.md says how to tell them apart.</summary>
public enum LegacyService
{
    /// <summary>Jobs by SQS, with the chat in an attribute; annotated pictures and rows, and nobody is called.</summary>
    S0,

    /// <summary>Jobs by SQS; rows in DynamoDB, and a call of the bot's <c>/results</c>.</summary>
    S1,

    /// <summary>Jobs by SQS; rows in DynamoDB, and results by another SQS queue.</summary>
    S2,

    /// <summary>Requests by SQS; objects in an output bucket, and responses by another SQS queue.</summary>
    S3,
}

/// <summary>The earlier service whose worker this deployment takes the place of, as its host registers it.</summary>
/// <param name="settings">What it is told; null for none.</param>
/// <param name="post">Reaches its queues, objects and rows; null for none.</param>
public sealed class LegacyDeployment(LegacySettings? settings, ILegacyPost? post) : IDisposable
{
    /// <summary>What it is told; null for none.</summary>
    public LegacySettings? Settings => settings;

    /// <summary>Reaches its queues, objects and rows.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public ILegacyPost Post => post ?? throw new InvalidOperationException("This deployment takes no messages of an earlier service.");

    /// <inheritdoc/>
    public void Dispose() => (post as IDisposable)?.Dispose();
}

/// <summary>Where the messages, pictures and results of an earlier service are.</summary>
public sealed record LegacySettings
{
    private const int LongestPrefix = 200;

    /// <summary>Which service.</summary>
    public required LegacyService Service { get; init; }

    /// <summary>The name or the address of the queue of jobs.</summary>
    public required string RequestQueue { get; init; }

    /// <summary>The name or the address of the queue of results; null where the service has none.</summary>
    public string? ResultQueue { get; init; }

    /// <summary>The bucket of the pictures.</summary>
    public required string Bucket { get; init; }

    /// <summary>The bucket of the results; null where the service has none.</summary>
    public string? OutputBucket { get; init; }

    /// <summary>The folder of the pictures in their bucket; empty for none.</summary>
    public string Prefix { get; init; } = "images";

    /// <summary>The table of the results; null where the service has none.</summary>
    public string? Table { get; init; }

    /// <summary>The address of the bot that is called when there is a row; null where the service has none.</summary>
    public string? Bot { get; init; }

    /// <summary>Largest picture.</summary>
    public long MaxInputBytes { get; init; } = new JobSettings().MaxInputBytes;

    /// <summary>How results are written.</summary>
    public DeliverySettings Delivery { get; init; } = new()
    {
        // A picture may have to be drawn first.
        Timeout = TimeSpan.FromSeconds(50),
        Lease = TimeSpan.FromSeconds(80),
        PerEndpoint = 8,
        // Each has two pictures in memory.
        AtOnce = 8,
        Delays =
        [
            TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10),
            TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromHours(12),
        ],
        FirstOpen = TimeSpan.FromSeconds(2),
    };

    /// <summary>What a key of a picture begins with: empty, or ending in a slash.</summary>
    public string Folder => Prefix.Length == 0 ? "" : Prefix + "/";

    /// <summary>What has to be there for a gateway in the place of the workers.</summary>
    public IEnumerable<LegacyPart> Parts =>
    [
        .. PartsOf(LegacyPartKind.Queue, RequestQueue, ResultQueue), .. PartsOf(LegacyPartKind.Bucket, Bucket, OutputBucket), .. PartsOf(LegacyPartKind.Table, Table),
    ];

    /// <summary>Checks them together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate()
    {
        Delivery.Validate();
        if (Prefix.Length > 0 && (Prefix.Length > LongestPrefix || !LegacyName.IsPlain(Prefix)))
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The folder '{Prefix}' of the pictures can't be one; name it without '.', '..', empty parts and control characters, as 'images'.");
    }

    private static IEnumerable<LegacyPart> PartsOf(LegacyPartKind kind, params IReadOnlyList<string?> names) => names.OfType<string>().Select(name => new LegacyPart(kind, name));
}
