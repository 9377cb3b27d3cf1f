using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Spotter.Cli.Remote;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Cli.Watch;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Engines.Detect;

namespace Spotter.Cli.Commands;

/// <summary><c>watch</c>: has a running service look at what a camera sees, or what comes into a folder, and tells what it finds.</summary>
internal static class WatchCommand
{
    private static readonly Argument<string> Source = new("SOURCE")
    {
        Description = "A camera's address (http:// or https:// for one that answers with a picture, rtsp:// for one that streams), a video file, or a folder into which pictures are put.",
    };

    private static readonly Option<bool> Stream = new("--stream") { Description = "The http address is a video stream, which ffmpeg reads." };

    private static readonly Option<bool> Existing = new("--existing") { Description = "Take the pictures that are in the folder already, too." };

    private static readonly Option<string?> Name = new("--name")
    {
        HelpName = "NAME",
        Description = "What to call the source. Default: the camera's host, or the folder's or file's name.",
    };

    private static readonly DefaultOption<TimeSpan> Every = ChoiceOption.Of(
        "--every", SettingValues.Seconds(0.1, 86_400), TimeSpan.FromSeconds(5), "Seconds between two pictures of a camera or video.");

    private static readonly Option<bool> Motion = new("--motion") { Description = "Look only at pictures that differ from the last one that was looked at." };

    private static readonly DefaultOption<double> MotionThreshold = NumberOption.Fraction("--motion-threshold", 0.01, "With --motion, the share of the picture that has to differ.");

    private static readonly Option<string?> Engine = new("--engine") { HelpName = "NAME", Description = "The engine to ask for. Default: the service's." };

    private static readonly Option<string?> Model = new("--model") { HelpName = "NAME", Description = "The model to ask for. Default: the service's." };

    // Pictures are drawn when they are sent on.
    private static readonly OptionFlags Asked = new(VisionOptions.Declared.Where(o => o.Name != VisionOptions.Annotate));

    private static readonly Option<string?> Webhook = new("--webhook") { HelpName = "URL", Description = "Have the service send each result there, too (docs/webhooks.md)." };

    private static readonly Option<MqttAddress?> Mqtt = new("--mqtt")
    {
        HelpName = "URL",
        Description = "Send results to this MQTT broker, mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS.",
        CustomParser = result =>
        {
            // What was typed may hold a password, so it is not repeated.
            if (MqttAddress.TryParse(result.Tokens[0].Value) is { } address)
                return address;
            result.AddError("--mqtt takes an address like mqtt://user@broker:1883.");
            return null;
        },
    };

    private static readonly DefaultOption<string> MqttTopic = new("--mqtt-topic", "spotter", "spotter", "What the topics begin with; the source's name and `state`, `availability` or `image` follow.")
    {
        HelpName = "PREFIX",
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (!MqttTopics.IsPrefix(given))
                result.AddError($"--mqtt-topic takes a topic without +, # and a / at its ends, not {given}.");
            return given;
        },
    };

    private static readonly Option<bool> MqttImage = new("--mqtt-image") { Description = "Send the picture with what was found drawn into it to the broker, too." };

    private static readonly Option<bool> Discovery = new("--home-assistant") { Description = "Tell Home Assistant of the source, by its MQTT discovery." };

    private static readonly Option<int?> Count = NumberOption.Whole("--count", 1, int.MaxValue, "End after so many results.");

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object per result." };

    private static readonly SettingFlags Passwords = new(WatchSection.All);

    public static Command Create()
    {
        var command = new Command("watch", "Have a running service look at what a camera sees, or at what comes into a folder.")
        {
            Source, RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, Name, Every, Stream, Existing, Motion, MotionThreshold, Engine, Model,
        };
        Asked.AddTo(command);
        foreach (var option in (Option[])[Webhook, Mqtt, MqttTopic, MqttImage, Discovery, Count, Json])
            command.Add(option);
        Passwords.AddTo(command);
        command.AddCheck(KnowTheBroker);
        command.SetAction(RunAsync);
        return command;
    }

    private static void KnowTheBroker(CommandResult result)
    {
        if (result.GetResult(Mqtt) is not null)
            return;
        foreach (var option in (Option[])[MqttTopic, MqttImage, Discovery])
        {
            if (result.GetResult(option) is { Implicit: false })
                result.AddError($"{option.Name} needs a broker: name it with --mqtt URL.");
        }
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        using var stop = new StopSignals();
        var settings = SettingSources.Open(Passwords.Read(parsed));
        var address = SourceOf(parsed, settings);
        var name = parsed.GetValue(Name) ?? address.DefaultName;
        var id = MqttTopics.IdOf(name) ?? throw new SpotterException(ErrorCodes.InvalidRequest, $"The name '{name}' has neither a letter from a to z nor a digit, which topics and file names need; give one with --name.");
        var broker = BrokerOf(parsed, settings);
        settings.ThrowIfWrong();
        using var service = RemoteOptions.Client(parsed);

        var camera = NewConnection(address.ToString());
        var remote = NewConnection($"the service {service.Url}");
        using var source = Open(address, parsed, id, camera);
        var topics = new MqttTopics(MqttTopic.Of(parsed), id);
        var mqtt = broker is null ? null : new MqttConnection(
            broker, topics, parsed.GetValue(Discovery) ? HomeAssistant.Discovery(name, topics, LabelsOf(parsed), parsed.GetValue(MqttImage)) : [],
            () => !camera.IsAway && !remote.IsAway, NewConnection(broker.ToString()), RandomSource.System);
        if (mqtt is not null)
            camera.OnChange = remote.OnChange = mqtt.SendAvailability;
        var run = new WatchRun(
            name, source, parsed.GetValue(Motion) ? new MotionGate(MotionThreshold.Of(parsed)) : null,
            new JobSender(service, FieldsOf(parsed), remote, RandomSource.System, TimeProvider.System),
            parsed.GetValue(Json) ? JsonLines.Write : result => Console.Out.WriteLine(PlainText.OneLine(result.Line(TimeZoneInfo.Local))))
        {
            Broker = mqtt,
            Topics = topics,
            SendsImages = parsed.GetValue(MqttImage),
            Most = parsed.GetValue(Count),
        };
        try
        {
            await run.RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            // It runs until it is told to stop, so that is no failure.
        }
        return ExitStatus.Done;
    }

    private static Connection NewConnection(string name) => new(name, new Backoff(RandomSource.System), StandardError.Complain, TimeProvider.System);

    private static SourceAddress SourceOf(ParseResult parsed, SettingReader settings)
    {
        var address = SourceAddress.Parse(parsed.GetRequiredValue(Source), parsed.GetValue(Stream));
        var password = settings.GetSecret(WatchSection.SourcePassword, WatchSection.SourcePasswordFile);
        if (address.Kind == SourceKind.Folder && parsed.GetResult(Every) is not null)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"--every is for cameras and videos, and {address.Location} is a folder, of which every picture is looked at; leave it out.");
        if (address.Kind != SourceKind.Folder && parsed.GetValue(Existing))
            throw new SpotterException(ErrorCodes.InvalidRequest, "--existing is for folders; leave it out.");
        return address with { Credentials = WithPassword(address.Credentials, password, "the source", settings.NameOf(WatchSection.SourcePasswordFile)) };
    }

    private static MqttAddress? BrokerOf(ParseResult parsed, SettingReader settings)
    {
        if (parsed.GetValue(Mqtt) is not { } address)
            return null;
        var password = settings.GetSecret(WatchSection.MqttPassword, WatchSection.MqttPasswordFile);
        return address with { Credentials = WithPassword(address.Credentials, password, "--mqtt", settings.NameOf(WatchSection.MqttPasswordFile)) };
    }

    /// <summary>A user with the password that is given elsewhere; one that stands in the address wins.</summary>
    private static NetworkCredential? WithPassword(NetworkCredential? user, string? password, string what, string where)
    {
        if (password is null || user is { Password.Length: > 0 })
            return user;
        return user is null
            ? throw new SpotterException(ErrorCodes.InvalidSettings, $"{where} gives a password, and the address of {what} names no user; write it as USER@HOST, or leave the password out.")
            : new(user.UserName, password);
    }

    private static IFrameSource Open(SourceAddress address, ParseResult parsed, string id, Connection connection) => address.Kind switch
    {
        SourceKind.Folder => new FolderSource(address.Location, parsed.GetValue(Existing), connection, TimeProvider.System),
        SourceKind.Snapshot => new SnapshotCamera(address, Every.Of(parsed), id, connection, TimeProvider.System),
        _ => new FfmpegVideo(address, Every.Of(parsed), id, connection, TimeProvider.System),
    };

    private static IReadOnlyList<string> LabelsOf(ParseResult parsed) =>
        Asked.Read(parsed)["labels"]?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static IReadOnlyList<KeyValuePair<string, string>> FieldsOf(ParseResult parsed)
    {
        var asked = Asked.Read(parsed);
        var fields = asked.Names.Select(name => new KeyValuePair<string, string>(name, asked[name]!)).ToList();
        foreach (var (name, value) in (IEnumerable<(string, string?)>)[
            ("engine", parsed.GetValue(Engine)), ("model", parsed.GetValue(Model)), ("callback", parsed.GetValue(Webhook)), ("annotate", parsed.GetValue(MqttImage) ? "true" : null)])
        {
            if (value is not null)
                fields.Add(new(name, value));
        }
        return fields;
    }
}
