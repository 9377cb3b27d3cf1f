using System.Net;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Core.Vision;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>Everything that a gateway can be told. Validated as a whole when it starts.</summary>
public sealed record GatewaySettings
{
    /// <summary>The address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>
    /// Names by which the gateway may be called when it listens on this machine only, besides the machine's own: those
    /// of a proxy in front of it.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The port to listen on; 0 for any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The models that requests may choose from; the first is the default.</summary>
    public IReadOnlyList<ModelInfo> Models { get; init; } = [];

    /// <summary>The folder of pictures that come with the built-in model; null when there are none.</summary>
    public string? SamplesFolder { get; init; }

    /// <summary>The secret by which workers are known.</summary>
    public required string WorkerToken { get; init; }

    /// <summary>The file of the API keys, which need not be there; null for none.</summary>
    public string? KeysFile { get; init; }

    /// <summary>True when nobody gets in without a key, even while there is none.</summary>
    public bool KeysRequired { get; init; }

    /// <summary>Most workers that may run, as the page shows it.</summary>
    public int MaxWorkers { get; init; } = 1;

    /// <summary>Jobs that one of them runs at a time.</summary>
    public int LanesPerWorker { get; init; } = 1;

    /// <summary>Largest picture, and largest request, in bytes.</summary>
    public long MaxBodyBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>Most pictures in one request.</summary>
    public int MaxImagesPerRequest { get; init; } = 100;

    /// <summary>Uploads read at one time; more wait for their turn.</summary>
    public int MaxUploads { get; init; } = 64;

    /// <summary>Beyond so many waiting jobs new ones are refused.</summary>
    public int MaxQueued { get; init; } = 50_000;

    /// <summary>The same picture, model and options again are answered from the stored result, unless the request says no.</summary>
    public bool Reuse { get; init; } = true;

    /// <summary>Once a job that somebody could run has waited for longer than this, new ones are refused.</summary>
    public TimeSpan MaxQueueAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Event streams at one time; beyond that, clients have to ask again and again.</summary>
    public int MaxStreams { get; init; } = 256;

    /// <summary>Requests that wait for their result at one time; beyond that they are answered at once, without it.</summary>
    public int MaxWaits { get; init; } = 256;

    /// <summary>Requests that wait for a picture to be drawn at one time.</summary>
    public int MaxDrawings { get; init; } = 64;

    /// <summary>
    /// Submissions that one client may make each second: a key, or without keys an address (of IPv6, its /64). Any other
    /// call counts for a tenth. 0 for no limit; there is none for this machine itself while there are no keys.
    /// </summary>
    public double ClientRate { get; init; } = 10;

    /// <summary>Submissions that one client may make at once after a pause.</summary>
    public int ClientBurst { get; init; } = 50;

    /// <summary>Longest time that a request may ask to wait for its result.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How large a picture may be in pixels.</summary>
    public ImageLimits ImageLimits { get; init; } = new();

    /// <summary>How long things are held and kept.</summary>
    public LeaseSettings Leases { get; init; } = new();

    /// <summary>True when only this machine can reach the gateway.</summary>
    internal bool IsLoopback => OriginGuard.IsLoopback(Host);

    /// <summary>How webhook deliveries are made.</summary>
    public WebhookSettings Webhooks { get; init; } = new();

    /// <summary>Not the values: the worker token is among them.</summary>
    public override string ToString() => nameof(GatewaySettings);

    /// <summary>Checks all settings together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: which one is wrong, and what it may be.</exception>
    public void Validate()
    {
        // The server would take any other name for all of the machine's addresses.
        if (Host is not ("localhost" or "*") && !IPAddress.TryParse(Host, out _))
            throw Invalid($"The host '{Host}' is not an address to listen on; give an IP address, as 127.0.0.1, or 0.0.0.0 for all.");
        if (Host == "localhost" && Port == 0)
            throw Invalid("A free port can't be chosen for 'localhost', which is two addresses; give 127.0.0.1 as the host.");
        if (Port is < 0 or > 65535)
            throw Invalid($"The port {Port} is not between 0 and 65535.");
        if (string.IsNullOrEmpty(WorkerToken) || WorkerToken.Length < 32)
            throw Invalid("The worker token is shorter than 32 characters; leave it out to have one made.");
        if (MaxBodyBytes < 1024)
            throw Invalid($"The largest body, {MaxBodyBytes} bytes, leaves no room for a picture.");
        if (MaxQueued < 1 || MaxUploads < 1 || MaxStreams < 1 || MaxWaits < 1 || MaxDrawings < 1)
            throw Invalid("A limit on jobs, uploads, streams, waits or drawings is less than 1, so nothing could come in.");
        if (MaxQueueAge <= TimeSpan.Zero)
            throw Invalid($"No job may wait for {MaxQueueAge.TotalSeconds} s; the longest queue age is more than 0.");
        if (!(ClientRate >= 0) || ClientBurst < 1)
            throw Invalid($"A client's {ClientRate} submissions per second, {ClientBurst} at once, can't be kept; the rate is 0 for no limit, the burst 1 or more.");
        Webhooks.Validate();
        if (Leases.Heartbeat >= Leases.Duration)
            throw Invalid($"Heartbeats every {Leases.Heartbeat.TotalSeconds} s can't keep a lease of {Leases.Duration.TotalSeconds} s.");
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
