namespace Spotter.Cloud;

/// <summary>What the program is told, in its words: the one place that knows the names of Spotter's settings.</summary>
internal static class ProgramSettings
{
    /// <summary>Where systemd puts the secrets.</summary>
    private const string Run = "/run/spotter";

    /// <summary>The secrets of a gateway: the name of the file, and of the secret.</summary>
    public static IReadOnlyDictionary<string, string> GatewaySecrets(StackSettings settings)
    {
        var secrets = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["worker-token"] = $"{settings.Name}/worker-token",
            ["webhook-secret"] = $"{settings.Name}/webhook-secret",
        };
        if (settings.Access == AccessMode.Keys)
            secrets["keys.json"] = $"{settings.Name}/keys";
        if (settings.Telegram != TelegramMode.Off)
            secrets["telegram-token"] = $"{settings.Name}/telegram-token";
        if (settings.Telegram == TelegramMode.Selfsigned)
            secrets["certificate.pem"] = $"{settings.Name}/certificate";
        return secrets;
    }

    /// <summary>The secrets of a worker.</summary>
    public static IReadOnlyDictionary<string, string> WorkerSecrets(StackSettings settings) =>
        new Dictionary<string, string>(StringComparer.Ordinal) { ["worker-token"] = $"{settings.Name}/worker-token" };

    /// <summary>What makes any gateway, also one on your own machine, serve this stack's jobs.</summary>
    public static IReadOnlyDictionary<string, string> Stores(string region, string table, string queues, string bucket) =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AWS_REGION"] = region,
            ["SPOTTER__BACKEND"] = "aws",
            ["SPOTTER__AWS__TABLE"] = table,
            ["SPOTTER__AWS__QUEUES"] = queues,
            ["SPOTTER__BLOBS"] = $"s3://{bucket}",
        };

    /// <summary>What a gateway of the stack is told besides.</summary>
    /// <param name="settings">The stack's.</param>
    /// <param name="host">The name under which clients call it.</param>
    /// <param name="fleet">The group of workers, or the launch template that they come from.</param>
    public static IReadOnlyDictionary<string, string> Gateway(StackSettings settings, string host, string fleet)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__HOST"] = "0.0.0.0",
            ["SPOTTER__PORT"] = $"{Network.GatewayPort}",
            ["SPOTTER__DATA"] = "/var/lib/spotter",
            ["SPOTTER__WORKER__TOKENFILE"] = $"{Run}/worker-token",
            ["SPOTTER__WEBHOOKS__SECRETFILE"] = $"{Run}/webhook-secret",
            ["SPOTTER__SCALING__MAXWORKERS"] = $"{Math.Min(settings.MaxWorkers, 256)}",
        };
        if (settings.Access == AccessMode.Keys)
        {
            values["SPOTTER__KEYSFILE"] = $"{Run}/keys.json";
        }
        else
        {
            values["SPOTTER__INSECUREOPEN"] = "true";
            values["SPOTTER__ALLOWEDHOSTS"] = host;
        }
        switch (settings.Scaling)
        {
            case ScalingMode.Ours: values["SPOTTER__AWS__GROUP"] = fleet; break;
            case ScalingMode.Tracking: values["SPOTTER__AWS__METRICGROUP"] = fleet; break;
            case ScalingMode.Pool: values["SPOTTER__AWS__LAUNCHTEMPLATE"] = fleet; break;
            case ScalingMode.Cpu: break;
        }
        if (settings.Telegram != TelegramMode.Off)
        {
            values["SPOTTER__TELEGRAM__TOKENFILE"] = $"{Run}/telegram-token";
            values["SPOTTER__TELEGRAM__PUBLICURL"] = $"https://{host}";
        }
        if (settings.Telegram == TelegramMode.Selfsigned)
            values["SPOTTER__TELEGRAM__CERTIFICATE"] = $"{Run}/certificate.pem";
        return values;
    }

    /// <summary>What a worker of the stack is told.</summary>
    /// <param name="region">The stack's.</param>
    /// <param name="server">Where it finds the gateways.</param>
    public static IReadOnlyDictionary<string, string> Worker(string region, string server) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AWS_REGION"] = region,
        ["SPOTTER__DATA"] = "/var/lib/spotter",
        ["SPOTTER__WORKER__SERVER"] = server,
        ["SPOTTER__WORKER__TOKENFILE"] = $"{Run}/worker-token",
    };
}
