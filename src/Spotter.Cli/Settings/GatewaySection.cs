using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway;
using Spotter.Gateway.Access;
using Spotter.Gateway.Telegram;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Cli.Settings;

/// <summary>What the gateway itself is told: where it listens, who gets in, how much it takes on.</summary>
internal static class GatewaySection
{
    private static readonly GatewaySettings Gateway = new() { WorkerToken = "" };
    private static readonly JobSettings Jobs = new();

    /// <summary>Where it listens.</summary>
    public static readonly Setting<string> Host = new(
        "host", "Address to listen on. Default: 127.0.0.1, this machine only.", SettingValues.Text("ADDRESS"), Gateway.Host) { Flag = "--host" };

    /// <summary>The port on which it listens.</summary>
    public static readonly Setting<int> Port = new("port", "Port to listen on; 0 for any free one.", SettingValues.Whole(0, 65535), Gateway.Port) { Flag = "--port" };

    private static readonly Setting<string> AllowedHosts = new(
        "allowedHosts", "A name by which the service may be called while it has no keys or listens on this machine only, as that of a proxy; may be repeated. Default: this machine's own names, and addresses.",
        SettingValues.Text("NAME"), "") { Flag = "--allow-host", IsList = true };

    private static readonly Setting<bool> InsecureOpen = new(
        "insecureOpen", "Listen beyond this machine although there are no keys: whoever can reach the service may use it and see every picture.", SettingValues.YesNo, Gateway.InsecureOpen)
    { Flag = "--insecure-open", FlagText = "true" };

    /// <summary>The data folder; see <see cref="SpotterPaths.DataFolder"/>.</summary>
    public static readonly Setting<string?> Data = new("data", $"The data folder, where jobs and pictures are kept. Default: {SpotterPaths.DefaultDataFolder}.", SettingValues.OptionalText("DIR"), null) { Flag = "--data" };

    /// <summary>Models by name or file; none for all that are found.</summary>
    public static readonly Setting<string> Models = new(
        "models", "A model to load; may be repeated, the first is the default one. Default: all that `spotter models list` shows.", SettingValues.Text("NAME|FILE"), "")
    { Flag = "--model", IsList = true };

    /// <summary>The file of the API keys.</summary>
    public static readonly Setting<string?> Keys = new(
        "keysFile", "File of the API keys, as `spotter keys` makes it; then every request needs one. Default: keys.json in the data folder, if it is there.",
        SettingValues.OptionalText("FILE"), null) { Flag = "--keys" };

    private static readonly Setting<TimeSpan> LinkLife = new(
        "linkHours", "Hours for which a signed link to a job opens without a key.", SettingValues.Times(TimeSpan.FromHours(1), 1, 168), Gateway.LinkLife) { Flag = "--link-hours" };

    private static readonly Setting<string?> Audit = new(
        "auditFile", "File that says who did what, a line of JSON each; `none` for none. Default: audit.jsonl in the data folder.", SettingValues.OptionalText("FILE"), null);

    private static readonly Setting<bool> Sessions = new(
        "sessions", "Also answer the session API, by which one request runs one engine or several that pass on what they make, as docs/sessions.md says.", SettingValues.YesNo, Gateway.Sessions)
    { Flag = "--sessions", FlagText = "true" };

    private static readonly Setting<int> MaxQueued = new(
        "maxQueued", "Waiting jobs beyond which new ones are refused.", SettingValues.Whole(1, 100_000_000), Jobs.MaxQueued) { Flag = "--max-queued" };

    private static readonly Setting<TimeSpan> MaxQueueAge = new(
        "maxQueueAgeSeconds", "Seconds that the oldest job may have waited before new ones are refused.", SettingValues.Times(TimeSpan.FromSeconds(1), 1, 604_800), Jobs.MaxQueueAge)
    { Flag = "--max-queue-age" };

    private static readonly Setting<int> ClientRate = new(
        "clientRate", "Submissions a second that one client (a key; without keys, an address) may make, five times that at once; 0 for no limit.",
        SettingValues.Whole(0, 1_000_000), (int)Gateway.ClientRate) { Flag = "--client-rate" };

    private static readonly Setting<bool> Reuse = new(
        "reuse", "False to run every job, also when the result of the same picture, model and options is stored.", SettingValues.YesNo, Jobs.Reuse) { Flag = "--no-reuse", FlagText = "false" };

    private static readonly Setting<bool> WorkerLinks = new(
        "workerLinks", "False to have workers elsewhere fetch and hand in pictures through the gateway, although they are in a bucket; for workers that can't reach it.",
        SettingValues.YesNo, Gateway.WorkerLinks) { Flag = "--no-worker-links", FlagText = "false" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [Host, Port, AllowedHosts, InsecureOpen, Data, Models, Keys, Audit, LinkLife, LegacySection.Compat, Sessions, MaxQueued, MaxQueueAge, ClientRate, Reuse, WorkerLinks];

    /// <summary>The data folder that was asked for, as a full path.</summary>
    public static string DataFolder(SettingReader settings) => SpotterPaths.DataFolder(settings.Get(Data));

    /// <summary>The data folder of a command that works on it beside the service.</summary>
    /// <param name="option">The value of the command's <c>--data</c>; null when it was not given.</param>
    public static string DataFolderOf(string? option) => option is null ? DataFolder(SettingSources.Open()) : SpotterPaths.DataFolder(option);

    /// <summary>As <see cref="DataFolderOf"/>, for a command that only looks: a folder that somebody named has to be there.</summary>
    /// <param name="option">The value of the command's <c>--data</c>; null when it was not given.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: there is no such folder.</exception>
    public static string ExistingDataFolderOf(string? option)
    {
        var settings = SettingSources.Open();
        var named = option ?? settings.Get(Data);
        var folder = SpotterPaths.DataFolder(named);
        // The default one is made by the first `serve`.
        return named is null || Directory.Exists(folder) ? folder : throw new SpotterException(
            ErrorCodes.InvalidSettings, $"There is no data folder {folder}, which {(option is null ? settings.NameOf(Data) : Data.Flag)} names; correct the name, or make it with `spotter serve`.");
    }

    /// <summary>The data folder in which a command looks for models: one that is typed has to be there, the service's own is made by the first `serve`, and there is a model without it.</summary>
    /// <param name="option">The value of the command's <c>--data</c>; null when it was not given.</param>
    public static string ModelsFolderOf(string? option) => option is null ? DataFolderOf(option) : ExistingDataFolderOf(option);

    /// <summary>The model file that a command works on: the data folder need not be there when a file is named.</summary>
    /// <param name="model">A file, or the name of a model.</param>
    /// <param name="data">The value of the command's <c>--data</c>; null when it was not given.</param>
    public static string ModelFile(string model, string? data) =>
        // A confined process, which inspects a file, may not even read where the folder is.
        data is null && File.Exists(model) ? Path.GetFullPath(model) : SpotterPaths.ResolveModel(model, ModelsFolderOf(data));

    /// <summary>The gateway's settings.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="scaling">The workers of all pools together.</param>
    /// <param name="telegram">The Telegram bot; null for none.</param>
    /// <param name="random">Makes the worker token if none is given.</param>
    public static GatewaySettings Read(SettingReader settings, ScaleSettings scaling, TelegramSettings? telegram, RandomSource random)
    {
        var keys = settings.Get(Keys);
        // A name with a mistake in it must not open the service to everybody.
        if (keys is not null && !File.Exists(keys))
            settings.Mistake($"There is no key file {keys}; make one with `spotter keys add NAME --keys {keys}`.");
        var data = DataFolder(settings);
        return new()
        {
            Host = settings.Get(Host),
            // By that name Telegram calls it.
            AllowedHosts = telegram?.PublicUrl is { } url ? [.. settings.GetList(AllowedHosts), url.Host] : settings.GetList(AllowedHosts),
            InsecureOpen = settings.Get(InsecureOpen),
            Port = settings.Get(Port),
            SamplesFolder = SpotterPaths.StarterModel is { } starter ? Path.Combine(Path.GetDirectoryName(starter)!, "samples") : null,
            Jobs = new JobSettings
            {
                MaxWorkers = scaling.Max,
                LanesPerWorker = scaling.Lanes,
                MaxQueued = settings.Get(MaxQueued),
                MaxQueueAge = settings.Get(MaxQueueAge),
                Reuse = settings.Get(Reuse),
                Leases = LeaseSection.Read(settings),
            },
            KeysFile = keys is null ? Path.Combine(data, KeyFile.DefaultName) : Path.GetFullPath(keys),
            KeysRequired = keys is not null,
            AuditFile = settings.Get(Audit) switch
            {
                null => Path.Combine(data, "audit.jsonl"),
                "none" => null,
                var file => Path.GetFullPath(file),
            },
            LinkLife = settings.Get(LinkLife),
            Compat = LegacySection.HasEndpoints(settings),
            Sessions = settings.Get(Sessions),
            WorkerLinks = settings.Get(WorkerLinks),
            ClientRate = settings.Get(ClientRate),
            ClientBurst = Math.Max(1, 5 * settings.Get(ClientRate)),
            WorkerToken = WorkerSection.Token(settings) ?? random.NextHex(32),
            Webhooks = WebhookSection.Read(settings),
            Fetch = FetchSection.Read(settings),
            Cameras = CameraSection.Read(settings),
            KedaPort = settings.Get(KedaSection.Port),
            Telemetry = TelemetrySection.Read(settings),
        };
    }
}
