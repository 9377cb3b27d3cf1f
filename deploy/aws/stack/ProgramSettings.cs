using System.Globalization;

namespace Spotter.Cloud;

/// <summary>The metric that a group follows in <see cref="ScalingMode.Tracking"/>, as a gateway sends it.</summary>
internal static class BacklogMetric
{
    public const string Namespace = Permissions.MetricNamespace;

    public const string Name = "BacklogPerInstance";

    public const string Dimension = "AutoScalingGroupName";
}

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
    public static IReadOnlyDictionary<string, string> Gateway(StackSettings settings, string host)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__HOST"] = "0.0.0.0",
            ["SPOTTER__PORT"] = $"{Network.GatewayPort}",
            ["SPOTTER__DATA"] = "/var/lib/spotter",
            ["SPOTTER__WORKER__TOKENFILE"] = $"{Run}/worker-token",
            ["SPOTTER__WEBHOOKS__SECRETFILE"] = $"{Run}/webhook-secret",
            ["SPOTTER__UPLOADS__EVENTS"] = UploadEvents.NameOf(settings),
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
        if (settings.Telegram != TelegramMode.Off)
        {
            values["SPOTTER__TELEGRAM__TOKENFILE"] = $"{Run}/telegram-token";
            values["SPOTTER__TELEGRAM__PUBLICURL"] = $"https://{host}";
        }
        if (settings.Telegram == TelegramMode.Selfsigned)
            values["SPOTTER__TELEGRAM__CERTIFICATE"] = $"{Run}/certificate.pem";
        return values;
    }

    /// <summary>The command of a gateway: one that scales starts workers itself.</summary>
    public static string GatewayCommand(StackSettings settings) => settings.Scaling is ScalingMode.Ours or ScalingMode.Pool ? "serve" : "gateway";

    /// <summary>What a gateway is told of the workers, whose number it sets or is to be known elsewhere.</summary>
    /// <param name="settings">The stack's.</param>
    /// <param name="group">The group's name, where there is one.</param>
    /// <param name="template">The launch template's id.</param>
    /// <param name="subnets">Where they may stand.</param>
    public static IReadOnlyDictionary<string, string> Scaling(StackSettings settings, string group, string template, IReadOnlyList<string> subnets) => settings.Scaling switch
    {
        ScalingMode.Ours => new(StringComparer.Ordinal)
        {
            ["SPOTTER__POOLS__WORKERS__LAUNCHER"] = "autoscaling",
            ["SPOTTER__POOLS__WORKERS__GROUP"] = group,
            ["SPOTTER__POOLS__WORKERS__LIFECYCLEHOOK"] = Workers.DrainHook,
            ["SPOTTER__POOLS__WORKERS__MAX"] = $"{Math.Min(settings.MaxWorkers, 256)}",
            ["SPOTTER__POOLS__WORKERS__LANES"] = $"{settings.WorkerTypes.Min(Lanes)}",
        },
        ScalingMode.Tracking => new(StringComparer.Ordinal)
        {
            ["SPOTTER__PUBLISH__TO"] = "cloudwatch",
            ["SPOTTER__PUBLISH__NAMESPACE"] = BacklogMetric.Namespace,
            ["SPOTTER__PUBLISH__DIMENSIONS"] = $"{BacklogMetric.Dimension}={group}",
            ["SPOTTER__PUBLISH__GROUP"] = group,
        },
        ScalingMode.Pool => new(StringComparer.Ordinal)
        {
            ["SPOTTER__POOLS__WORKERS__LAUNCHER"] = "ec2",
            ["SPOTTER__POOLS__WORKERS__TEMPLATE"] = template,
            ["SPOTTER__POOLS__WORKERS__POOL"] = settings.Name,
            ["SPOTTER__POOLS__WORKERS__TYPES"] = string.Join(',', settings.WorkerTypes),
            ["SPOTTER__POOLS__WORKERS__SUBNETS"] = string.Join(',', subnets),
            ["SPOTTER__POOLS__WORKERS__MAX"] = $"{Math.Min(settings.MaxWorkers, 256)}",
            ["SPOTTER__POOLS__WORKERS__LANES"] = $"{settings.WorkerTypes.Min(Lanes)}",
        },
        _ => new Dictionary<string, string>(StringComparer.Ordinal),
    };

    /// <summary>Jobs that a worker on such a machine runs at a time: one for each processor, of which a size has four times what its name begins with.</summary>
    private static int Lanes(string type)
    {
        var size = type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..];
        if (!size.EndsWith("xlarge", StringComparison.Ordinal))
            return 2;
        return 4 * (int.TryParse(size[..^"xlarge".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var times) ? times : 1);
    }

    /// <summary>What a worker of the stack is told.</summary>
    /// <param name="region">The stack's.</param>
    /// <param name="server">Where it finds the gateways.</param>
    public static IReadOnlyDictionary<string, string> Worker(string region, string server) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AWS_REGION"] = region,
        ["SPOTTER__DATA"] = "/var/lib/spotter",
        ["SPOTTER__WORKER__MACHINE"] = "ec2",
        ["SPOTTER__WORKER__SERVER"] = server,
        ["SPOTTER__WORKER__TOKENFILE"] = $"{Run}/worker-token",
    };
}
