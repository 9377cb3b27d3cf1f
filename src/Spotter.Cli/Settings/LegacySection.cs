using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;

namespace Spotter.Cli.Settings;

/// <summary>The endpoints and the messages of earlier services.</summary>
internal static class LegacySection
{
    private const string Yes = "true";
    private const string No = "false";

    /// <summary>Which of them. Their settings are in a section of their own: in a file, no setting has others below it.</summary>
    public static readonly Setting<string> Compat = new(
        "compat", "Also answer the endpoints of earlier services, as docs/compat.md lists them. With s0, s1, s2 or s3 also take the messages of that service, as docs/compat-messages.md says.",
        Kinds(), No) { Flag = "--compat", FlagText = Yes, FlagMayHaveValue = true };

    private static readonly Setting<string?> RequestQueue = new(
        "messages.requestQueue", "The name or address of the SQS queue of jobs of an earlier service.", SettingValues.OptionalText("QUEUE"), null) { Flag = "--messages-request-queue" };

    private static readonly Setting<string?> ResultQueue = new(
        "messages.resultQueue", "The name or address of its SQS queue of results, which s2 and s3 have.", SettingValues.OptionalText("QUEUE"), null) { Flag = "--messages-result-queue" };

    private static readonly Setting<string?> Bucket = new("messages.bucket", "Its bucket of pictures.", SettingValues.OptionalText("BUCKET"), null) { Flag = "--messages-bucket" };

    private static readonly Setting<string?> OutputBucket = new("messages.outputBucket", "Its bucket of results, which s3 has.", SettingValues.OptionalText("BUCKET"), null) { Flag = "--messages-output-bucket" };

    private static readonly Setting<string?> Prefix = new(
        "messages.prefix", "The folder of the pictures in their bucket. Default: images; with s0 data/images, with s3 none.", SettingValues.OptionalText("FOLDER"), null) { Flag = "--messages-prefix" };

    private static readonly Setting<string?> Table = new("messages.table", "Its DynamoDB table of results, which s0, s1 and s2 have.", SettingValues.OptionalText("NAME"), null) { Flag = "--messages-table" };

    private static readonly Setting<string?> Bot = new(
        "messages.bot", "The address of its bot, whose /results is called when there is a row, which s1 has. It has to be one that webhooks may go to.", SettingValues.HttpAddress, null) { Flag = "--messages-bot" };

    private static readonly Setting<string?> Region = new(
        "messages.region", "The region of all of these. Default: what the environment, the profile or the machine says.", SettingValues.OptionalText("REGION"), null) { Flag = "--messages-region" };

    private static readonly Setting<string?> Endpoint = new(
        "messages.endpoint", "A server that speaks as Amazon's do, for tests. Default: Amazon's.", SettingValues.HttpAddress, null) { Flag = "--messages-endpoint" };

    /// <summary>Those of the messages.</summary>
    public static IReadOnlyList<Setting> All { get; } = [RequestQueue, ResultQueue, Bucket, OutputBucket, Prefix, Table, Bot, Region, Endpoint];

    /// <summary>True when the endpoints are answered.</summary>
    public static bool HasEndpoints(SettingReader settings) => settings.Get(Compat) != No;

    /// <summary>The settings of the messages; null when none are taken.</summary>
    public static LegacySettings? Read(SettingReader settings)
    {
        if (!EnumNames.TryParse<LegacyService>(settings.Get(Compat), out var service))
        {
            // Something was to be taken, one would think.
            if (All.FirstOrDefault(settings.Has) is { } alone)
                settings.Mistake($"{settings.NameOf(alone)} is for the messages of an earlier service, but not of which; add {Compat.Flag} s0, s1, s2 or s3.");
            return null;
        }
        var isClassifier = service == LegacyService.S3;
        var mails = service is LegacyService.S2 or LegacyService.S3;
        return new LegacySettings
        {
            Service = service,
            RequestQueue = Needed(settings, RequestQueue, service, true) ?? "",
            ResultQueue = Needed(settings, ResultQueue, service, mails),
            Bucket = Needed(settings, Bucket, service, true) ?? "",
            OutputBucket = Needed(settings, OutputBucket, service, isClassifier),
            Prefix = Folder(settings, service),
            Table = Needed(settings, Table, service, !isClassifier),
            Bot = Needed(settings, Bot, service, service == LegacyService.S1),
        };
    }

    /// <summary>The settings of a service whose workers a bridge uses: what only these workers need is left out.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it can't be as was asked for.</exception>
    public static LegacySettings ReadOfBridge(SettingReader settings)
    {
        if (!EnumNames.TryParse<LegacyService>(settings.Get(Compat), out var service))
            settings.Mistake($"A bridge needs to know whose workers it uses; add {Compat.Flag} s1, s2 or s3.");
        else if (service == LegacyService.S0)
            settings.Mistake("The workers of s0 tell nobody of their results, so no bridge can use them; it takes s1, s2 or s3.");
        settings.ThrowIfWrong();
        var read = new LegacySettings
        {
            Service = service,
            RequestQueue = Needed(settings, RequestQueue, service) ?? "",
            ResultQueue = service == LegacyService.S1 ? null : Needed(settings, ResultQueue, service),
            Bucket = Needed(settings, Bucket, service) ?? "",
            Prefix = Folder(settings, service),
            Table = service == LegacyService.S1 ? Needed(settings, Table, service) : null,
        };
        settings.ThrowIfWrong();
        read.Validate();
        return read;
    }

    /// <summary>The way to its queues, objects and rows.</summary>
    public static ILegacyPost Open(SettingReader settings) =>
        new LegacyPost(new AwsSettings { Region = settings.Get(Region), Endpoint = settings.Get(Endpoint) is { } endpoint ? new Uri(endpoint) : null });

    private static string Folder(SettingReader settings, LegacyService service) => (settings.Get(Prefix) ?? service switch
    {
        LegacyService.S0 => "data/images",
        LegacyService.S3 => "",
        _ => "images",
    }).Trim('/');

    private static string? Needed(SettingReader settings, Setting<string?> setting, LegacyService service, bool isNeeded)
    {
        if (isNeeded)
            return Needed(settings, setting, service);
        if (settings.Has(setting))
            settings.Mistake($"{settings.NameOf(setting)} is given, and {NameOf(service)} has no such thing; leave it out.");
        return null;
    }

    private static string? Needed(SettingReader settings, Setting<string?> setting, LegacyService service)
    {
        if (!settings.Has(setting))
            settings.Mistake($"The messages of {NameOf(service)} need {setting.Key}; give it with {setting.Flag} {setting.ValueName}.");
        return settings.Get(setting);
    }

    private static string NameOf(LegacyService service) => EnumNames.Of(service);

    private static SettingValues<string> Kinds()
    {
        IReadOnlyList<string> names = [Yes, No, .. Enum.GetNames<LegacyService>().Select(n => n.ToLowerInvariant())];
        return new($"{string.Join(", ", names.SkipLast(1))} or {names[^1]}", string.Join('|', names), text =>
        {
            if (SettingValues.YesNo.Read(text) is (true, var asked))
                return (true, asked ? Yes : No);
            var name = names.FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
            return (name is not null, name ?? No);
        })
        {
            Names = names,
        };
    }
}
