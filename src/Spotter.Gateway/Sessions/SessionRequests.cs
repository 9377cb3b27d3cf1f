using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Gateway.Sessions;

/// <summary>The body of <c>POST /api/v1/process-single-engine</c>.</summary>
internal sealed record SingleRequest : SessionRequest
{
    /// <summary>The engine, by its name or its id.</summary>
    public string? EngineId { get; init; }

    /// <summary>What the engine gets, by its input channels.</summary>
    public IReadOnlyDictionary<string, SingleInput?>? Inputs { get; init; }

    /// <summary>What it gives, by its output channels; null for <c>Result</c> and <c>Status</c>.</summary>
    public IReadOnlyDictionary<string, SingleOutput?>? Outputs { get; init; }

    /// <summary>The output channels that answers show; null for those that are of interest.</summary>
    public IReadOnlyList<string?>? ResultChannels { get; init; }
}

/// <summary>An input channel of one engine.</summary>
/// <param name="Type">One of <see cref="ChannelTypes"/>.</param>
/// <param name="Payload">What goes in.</param>
internal sealed record SingleInput(string? Type, RawJson? Payload);

/// <summary>An output channel of one engine.</summary>
/// <param name="Type">One of <see cref="ChannelTypes"/>.</param>
/// <param name="Interested">True when what comes out is kept.</param>
internal sealed record SingleOutput(string? Type, bool Interested = false);

/// <summary>The body of <c>POST /api/v1/process-workflow</c>.</summary>
internal sealed record WorkflowRequest : SessionRequest
{
    /// <summary>What lies between the engines.</summary>
    public IReadOnlyList<WorkflowChannel?>? DataChannels { get; init; }

    /// <summary>The engines.</summary>
    public IReadOnlyList<WorkflowEngine?>? Engines { get; init; }

    /// <summary>What goes in at the beginning.</summary>
    public IReadOnlyList<WorkflowStart?>? StartData { get; init; }
}

/// <summary>A channel between engines.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">One of <see cref="ChannelTypes"/>.</param>
/// <param name="Interested">True when what goes through it is kept as a result.</param>
internal sealed record WorkflowChannel(string? Name, string? Type, bool Interested = false);

/// <summary>An engine of a workflow.</summary>
/// <param name="Id">Its name or its id.</param>
/// <param name="Inputs">What it reads from.</param>
/// <param name="Outputs">What it writes to.</param>
internal sealed record WorkflowEngine(string? Id, IReadOnlyList<WorkflowPort?>? Inputs, IReadOnlyList<WorkflowPort?>? Outputs);

/// <summary>A channel of an engine, and what it is connected to.</summary>
/// <param name="Name">What the engine calls it.</param>
/// <param name="Type">One of <see cref="ChannelTypes"/>; null for that of the channel between the engines.</param>
/// <param name="LinkTo">The channel between the engines.</param>
internal sealed record WorkflowPort(string? Name, string? Type, string? LinkTo);

/// <summary>What goes into a channel at the beginning.</summary>
/// <param name="ChannelName">The channel.</param>
/// <param name="Payload">What goes in.</param>
internal sealed record WorkflowStart(string? ChannelName, RawJson? Payload);

/// <summary>What both kinds of sessions are told.</summary>
internal abstract record SessionRequest
{
    /// <summary>Who is told of what.</summary>
    public IReadOnlyList<SessionWebhook?>? Webhooks { get; init; }

    /// <summary>The answer waits for the end, at most so many seconds.</summary>
    public double? WaitTimeSecond { get; init; }

    /// <summary>Sessions of a higher rank go first; null for 0.</summary>
    public long? Rank { get; init; }
}

/// <summary>Somebody who is told.</summary>
/// <param name="StatusTypes">Of what; null for all.</param>
/// <param name="CallbackUrl">Where.</param>
/// <param name="CallbackHeader">Headers of the call; they may hold secrets.</param>
/// <param name="ResultChan">The channel whose results are sent along; null for all.</param>
internal sealed record SessionWebhook(IReadOnlyList<string?>? StatusTypes, string? CallbackUrl, IReadOnlyDictionary<string, string>? CallbackHeader, string? ResultChan)
{
    /// <summary>Not the headers.</summary>
    public override string ToString() => nameof(SessionWebhook);
}

/// <summary>The types of channels.</summary>
internal static class ChannelTypes
{
    /// <summary>Any JSON value.</summary>
    public const string Json = "JSON";

    /// <summary>Pictures.</summary>
    public const string Image = "Image";

    /// <summary>Videos.</summary>
    public const string Video = "Video";

    /// <summary>Any files.</summary>
    public const string File = "File";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Json, Image, Video, File];

    /// <summary>True for a file of this media type in a channel of this type.</summary>
    public static bool Takes(string type, string mediaType) => type switch
    {
        Image => mediaType.StartsWith("image/", StringComparison.Ordinal),
        Video => mediaType.StartsWith("video/", StringComparison.Ordinal),
        _ => type == File,
    };
}

/// <summary>How requests are read, and graphs and answers written.</summary>
[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.Never, NumberHandling = JsonNumberHandling.Strict,
    // The examples of BlueEdge have comments.
    ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(SingleRequest))]
[JsonSerializable(typeof(WorkflowRequest))]
[JsonSerializable(typeof(SessionGraph))]
[JsonSerializable(typeof(SessionTerms))]
[JsonSerializable(typeof(SessionResult))]
[JsonSerializable(typeof(SessionAnswer))]
[JsonSerializable(typeof(SessionCallback))]
[JsonSerializable(typeof(FileView))]
[JsonSerializable(typeof(StatusItem))]
internal sealed partial class SessionJson : JsonSerializerContext;
