using System.Globalization;
using System.Text.RegularExpressions;

namespace Spotter.Cloud;

/// <summary>A setting that can't be used; the message says which, why, and what can.</summary>
internal sealed class SettingFault(string message) : Exception(message);

/// <summary>Reads <see cref="StackSettings"/> from words. Every setting is declared here, once.</summary>
internal static partial class SettingReader
{
    /// <summary>The networks from which Telegram sends updates (https://core.telegram.org/bots/webhooks).</summary>
    public static IReadOnlyList<string> TelegramNetworks { get; } = ["149.154.160.0/20", "91.108.4.0/22"];

    /// <summary>Retention times that CloudWatch Logs knows, in days.</summary>
    private static readonly int[] LogDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731];

    private delegate StackSettings Change(StackSettings settings, string value);

    private static readonly Dictionary<string, Change> Settings = new(StringComparer.Ordinal)
    {
        // No hyphen: `a-*` in a policy would otherwise also mean the queues of a stack `a-b`.
        ["name"] = (s, v) => s with { Name = Match(v, Name(), "begin with a small letter and have at most 20 small letters and digits") },
        ["scaling"] = (s, v) => s with { Scaling = OneOf<ScalingMode>(v) },
        ["models"] = (s, v) => s with { Models = [.. List(v).Select(WithTask).Distinct(StringComparer.Ordinal)] },
        ["gateways"] = (s, v) => s with { Gateways = Number(v, 1, 20) },
        ["gatewaysOn"] = (s, v) => s with { GatewaysOn = OneOf<GatewayPlace>(v) },
        ["gatewayType"] = (s, v) => s with { GatewayType = Match(v, InstanceType(), "be an instance type as t3.small") },
        ["maxWorkers"] = (s, v) => s with { MaxWorkers = Number(v, 1, 1000) },
        ["workerTypes"] = (s, v) => s with { WorkerTypes = [.. List(v).Select(t => Match(t, InstanceType(), "be an instance type as c7i.large"))] },
        ["onDemand"] = (s, v) => s with { OnDemandPercent = Number(v, 0, 100) },
        ["warm"] = (s, v) => s with { Warm = Number(v, 0, 100) },
        ["backlogTarget"] = (s, v) => s with { BacklogTarget = Number(v, 1, 100000) },
        ["cpuTarget"] = (s, v) => s with { CpuTarget = Number(v, 1, 100) },
        ["network"] = (s, v) => s with { Network = OneOf<NetworkMode>(v) },
        ["sources"] = (s, v) => s with { Sources = [.. List(v).SelectMany(Networks)] },
        ["domain"] = (s, v) => s with { Domain = Match(v, HostName(), "be a host's name, as spotter.example.org") },
        ["access"] = (s, v) => s with { Access = OneOf<AccessMode>(v) },
        ["telegram"] = (s, v) => s with { Telegram = OneOf<TelegramMode>(v) },
        ["buckets"] = (s, v) => s with { HasTwoBuckets = Number(v, 1, 2) == 2 },
        ["keepDays"] = (s, v) => s with { KeepDays = Number(v, 2, 3650) },
        ["cors"] = (s, v) => s with { CorsOrigins = [.. List(v).Select(o => Match(o, Origin(), "be an origin as https://example.org"))] },
        ["logDays"] = (s, v) => s with { LogDays = LogDays.Contains(Number(v, 1, 731)) ? Number(v, 1, 731) : throw new SettingFault($"is {v}, but CloudWatch Logs knows only {string.Join(", ", LogDays)}") },
        ["maxAge"] = (s, v) => s with { MaxAgeSeconds = Number(v, 60, 604800) },
        ["compat"] = (s, v) => s with { Earlier = s.Earlier with { Compat = Match(v, Compat(), "be one of s0, s1, s2, s3") } },
        ["messagesRequestQueue"] = (s, v) => s with { Earlier = s.Earlier with { RequestQueue = Match(v, QueueName(), "be the name of a queue in this account and region") } },
        ["messagesResultQueue"] = (s, v) => s with { Earlier = s.Earlier with { ResultQueue = Match(v, QueueName(), "be the name of a queue in this account and region") } },
        ["messagesBucket"] = (s, v) => s with { Earlier = s.Earlier with { Bucket = Match(v, BucketName(), "be the name of a bucket") } },
        ["messagesOutputBucket"] = (s, v) => s with { Earlier = s.Earlier with { OutputBucket = Match(v, BucketName(), "be the name of a bucket") } },
        ["messagesTable"] = (s, v) => s with { Earlier = s.Earlier with { Table = Match(v, TableName(), "be the name of a table in this account and region") } },
        ["messagesBot"] = (s, v) => s with { Earlier = s.Earlier with { Bot = Match(v, Address(), "be an address as http://bot.example.org:8080") } },
        ["email"] = (s, v) => s with { Email = Match(v, Mail(), "be an e-mail address") },
        ["budget"] = (s, v) => s with { BudgetUsd = Number(v, 1, 1000000) },
    };

    /// <summary>The names of all settings.</summary>
    public static IEnumerable<string> Names => Settings.Keys;

    /// <exception cref="SettingFault">One that doesn't exist, or doesn't fit.</exception>
    public static StackSettings Read(IReadOnlyDictionary<string, string> values)
    {
        var settings = new StackSettings();
        // What follows from the mode comes first, so that what is said of it wins.
        if (values.TryGetValue("scaling", out var mode) && mode == "cpu")
            settings = settings with { MaxWorkers = 2 };
        foreach (var (name, value) in values)
        {
            if (!Settings.TryGetValue(name, out var change))
                throw new SettingFault($"There is no setting {name}; there are {string.Join(", ", Names)}.");
            try
            {
                settings = change(settings, value);
            }
            catch (SettingFault fault)
            {
                throw new SettingFault($"The setting {name} {fault.Message}.");
            }
        }
        // EC2 Auto Scaling keeps nothing warm of a group that mixes types or has spot machines.
        if (settings.Warm > 0 && (settings.Scaling == ScalingMode.Pool || settings.OnDemandPercent < 100))
            throw new SettingFault("A warm pool is of a group without spot machines; set onDemand=100, and not scaling=pool.");
        if (settings.Warm > 0 && settings.Network == NetworkMode.Private)
            throw new SettingFault("Machines of a warm pool have to tell AWS when they are ready, and have no way to it with network=private.");
        if (settings.HasContainers && values.ContainsKey("gatewayType"))
            throw new SettingFault("Containers have no instance type; leave out gatewayType, or set gatewaysOn=ec2.");
        if (settings is { HasContainers: true, Network: NetworkMode.Private } && settings.Telegram != TelegramMode.Off)
            throw new SettingFault("Gateways have no way to Telegram with gatewaysOn=fargate and network=private; set one of them otherwise, or telegram=off.");
        settings.Earlier.Check();
        if (settings is { HasContainers: true, Network: NetworkMode.Private, Earlier.Compat.Length: > 0 })
            throw new SettingFault("Gateways have no way to an earlier service with gatewaysOn=fargate and network=private; set one of them otherwise, or leave out compat.");
        if (settings.Models.FirstOrDefault(model => Queues.IsTooLong(settings.Name, model)) is { } tooLong)
            throw new SettingFault($"The setting models has {tooLong}, but the names of its queues would have more than 80 characters; give the stack or the models shorter names.");
        if (settings.Warm > 0 && settings.WorkerTypes.Count > 1 && !values.ContainsKey("workerTypes"))
            settings = settings with { WorkerTypes = [settings.WorkerTypes[0]] };
        if (settings.Warm > 0 && settings.WorkerTypes.Count > 1)
            throw new SettingFault("With a warm pool workers are of the launch template's type, so workerTypes takes one type.");
        return settings;
    }

    private static IEnumerable<string> List(string value)
    {
        var parts = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 ? parts.Distinct(StringComparer.Ordinal) : throw new SettingFault("is empty");
    }

    /// <summary>A model with its task; a name alone is a detector's.</summary>
    private static string WithTask(string word)
    {
        Match(word, Model(), "be NAME, TASK/NAME or TASK/NAME/SECOND, with a task as classify, and names of at most 50 letters, digits, - and _");
        return word.Contains('/', StringComparison.Ordinal) ? word : $"detect/{word}";
    }

    private static IEnumerable<string> Networks(string word) => word switch
    {
        "all" => ["0.0.0.0/0"],
        "telegram" => TelegramNetworks,
        _ => [System.Net.IPNetwork.TryParse(word, out var network) && word.Contains('.', StringComparison.Ordinal)
            ? network.ToString() : throw new SettingFault($"has {word}, but takes all, telegram, and networks as 203.0.113.0/24")],
    };

    private static int Number(string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number : throw new SettingFault($"is {value}, but must be a number from {least} to {most}");

    private static T OneOf<T>(string value)
        where T : struct, Enum
    {
        foreach (var choice in Enum.GetValues<T>())
        {
            if (Word(choice.ToString()) == value)
                return choice;
        }
        throw new SettingFault($"is {value}, but must be one of {string.Join(", ", Enum.GetNames<T>().Select(Word))}");
    }

    private static string Word(string name) => name.ToLowerInvariant();

    private static string Match(string value, Regex form, string must) =>
        form.IsMatch(value) ? value : throw new SettingFault($"is {value}, but must {must}");

    [GeneratedRegex(@"\A[a-z][a-z0-9]{0,19}\z", RegexOptions.None, 1000)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A((classify|depth|detect|embed|obb|pose|read|saliency|segment|semantic)(/[A-Za-z0-9_-]{1,50}){1,2}|[A-Za-z0-9_-]{1,50})\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Model();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]*\.[a-z0-9-]+\z", RegexOptions.None, 1000)]
    private static partial Regex InstanceType();

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex HostName();

    [GeneratedRegex(@"\Ahttps?://[a-z0-9.-]+(:[0-9]+)?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Origin();

    [GeneratedRegex(@"\As[0-3]\z", RegexOptions.None, 1000)]
    private static partial Regex Compat();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,80}\z", RegexOptions.None, 1000)]
    private static partial Regex QueueName();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z", RegexOptions.None, 1000)]
    private static partial Regex BucketName();

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{3,255}\z", RegexOptions.None, 1000)]
    private static partial Regex TableName();

    [GeneratedRegex(@"\Ahttps?://[a-z0-9.-]+(:[0-9]{1,5})?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"\A[^@\s]+@[^@\s]+\.[^@\s]+\z", RegexOptions.None, 1000)]
    private static partial Regex Mail();
}
