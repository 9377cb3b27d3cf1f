using System.Net;
using Spotter.Core;
using Spotter.Gateway.Fetching;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;

namespace Spotter.Gateway;

/// <summary>Everything that a gateway can be told. Validated as a whole when it starts.</summary>
public sealed record GatewaySettings
{
    // A worker asks for jobs, gives signs of life and fetches ahead while each lane hands something in.
    private const int ConnectionsBesideLanes = 3;

    /// <summary>The address to listen on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>
    /// Names by which the gateway may be called while it has no keys or listens on this machine only, besides the machine's own
    /// and addresses: those of a proxy in front of it.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>True to listen beyond this machine although there are no keys, so that whoever can reach the gateway may use it.</summary>
    public bool InsecureOpen { get; init; }

    /// <summary>The port to listen on; 0 for any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The port on which KEDA asks how many workers there are to be; 0 for any free one, null for none.</summary>
    public int? KedaPort { get; init; }

    /// <summary>Where traces and metrics are sent.</summary>
    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>The folder of pictures that come with the built-in model; null when there are none.</summary>
    public string? SamplesFolder { get; init; }

    /// <summary>The secret by which workers are known.</summary>
    public required string WorkerToken { get; init; }

    /// <summary>The file of the API keys, which need not be there; null for none.</summary>
    public string? KeysFile { get; init; }

    /// <summary>The file that says who did what; null for none.</summary>
    public string? AuditFile { get; init; }

    /// <summary>True when nobody gets in without a key, even while there is none.</summary>
    public bool KeysRequired { get; init; }

    /// <summary>For how long a signed link to a job opens.</summary>
    public TimeSpan LinkLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>True to answer, besides the API, the endpoints of earlier services that did the same; see docs/compat.md.</summary>
    public bool Compat { get; init; }

    /// <summary>True to answer the session API, and to run sessions; see docs/sessions.md.</summary>
    public bool Sessions { get; init; }

    /// <summary>What is let in, and how long things are held and kept.</summary>
    public JobSettings Jobs { get; init; } = new();

    /// <summary>False to give workers no links to the bucket of the pictures: all they fetch and hand in then goes through the gateway.</summary>
    public bool WorkerLinks { get; init; } = true;

    /// <summary>Connections for clients at one time.</summary>
    public int ClientConnections { get; init; } = 4_500;

    /// <summary>
    /// Connections at one time: those for clients, and as many as the workers may need. Beyond that the longest idle ones are
    /// closed.
    /// </summary>
    public int MaxConnections => ClientConnections + (Jobs.MaxWorkers * (Jobs.LanesPerWorker + ConnectionsBesideLanes));

    // Of each of these one client gets a quarter, of waits a half. Together, with as many uploads that have come and wait for their turn, they are
    // fewer than the connections for clients.

    /// <summary>Uploads on their way at one time, however slow they are; <see cref="JobSettings.MaxUploads"/> of them are worked on.</summary>
    public int MaxUploads { get; init; } = 1024;

    /// <summary>An upload has to have come within this time, and a second more for each <see cref="SlowestUpload"/> bytes that it may have.</summary>
    public TimeSpan LongestUpload { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>See <see cref="LongestUpload"/>.</summary>
    internal const int SlowestUpload = 256 * 1024;

    /// <summary>Event streams at one time; beyond that, clients have to ask again and again.</summary>
    public int MaxStreams { get; init; } = 256;

    /// <summary>An event stream ends after this time, and clients connect again, as browsers do by themselves: a key that was revoked opens no other.</summary>
    public TimeSpan LongestStream { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Requests that wait for their result at one time, each of which reads its job now and then; beyond that they are answered at once, without it.</summary>
    public int MaxWaits { get; init; } = 2048;

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

    /// <summary>True when only this machine can reach the gateway.</summary>
    internal bool IsLoopback => IsLoopbackName(Host);

    /// <summary>How webhook deliveries are made.</summary>
    public WebhookSettings Webhooks { get; init; } = new();

    /// <summary>How pictures are fetched that jobs name by their URL.</summary>
    public FetchSettings Fetch { get; init; } = new();

    /// <summary>How camera software is served.</summary>
    public CameraSettings Cameras { get; init; } = new();

    /// <summary>Not the values: the worker token is among them.</summary>
    public override string ToString() => nameof(GatewaySettings);

    /// <summary>Checks all settings together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: which one is wrong, and what it may be.</exception>
    public void Validate()
    {
        // The server would take any other name for all of the machine's addresses.
        if (Host is not ("localhost" or "*") && !IPAddress.TryParse(Host, out _))
            throw Invalid($"The host '{Host}' is not an address to listen on; give an IP address, as 127.0.0.1, or 0.0.0.0 for all.");
        if (Host == "localhost" && (Port == 0 || Cameras.Port == 0 || KedaPort == 0))
            throw Invalid("A free port can't be chosen for 'localhost', which is two addresses; give 127.0.0.1 as the host.");
        if (Port is < 0 or > 65535)
            throw Invalid($"The port {Port} is not between 0 and 65535.");
        if (KedaPort is < 0 or > 65535)
            throw Invalid($"The port {KedaPort} for KEDA is not between 0 and 65535.");
        if (KedaPort > 0 && (KedaPort == Port || KedaPort == Cameras.Port))
            throw Invalid($"The port {KedaPort} for KEDA is the gateway's own or that of camera software, and speaks another protocol; choose another.");
        if (string.IsNullOrEmpty(WorkerToken) || WorkerToken.Length < 32)
            throw Invalid("The worker token is shorter than 32 characters; leave it out to have one made.");
        if (MaxStreams < 1 || MaxWaits < 1 || MaxUploads < 1 || MaxDrawings < 1)
            throw Invalid("A limit on uploads, streams, waits or drawings is less than 1, so nobody could follow anything.");
        if (!(ClientRate >= 0) || ClientBurst < 1)
            throw Invalid($"A client's {ClientRate} submissions per second, {ClientBurst} at once, can't be kept; the rate is 0 for no limit, the burst 1 or more.");
        Webhooks.Validate();
        Telemetry.Validate();
        Cameras.Validate(Port);
        Jobs.Validate();
    }

    /// <summary>True for the names and addresses of this machine itself.</summary>
    internal static bool IsLoopbackName(string host) =>
        // With a dot at its end it is the same name, and no other can be made of it.
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.Equals("localhost.", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
