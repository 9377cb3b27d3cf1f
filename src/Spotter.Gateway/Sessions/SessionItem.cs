using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Sessions;

/// <summary>What goes through a channel: a JSON value, or a file that a job has made. There is no third.</summary>
internal abstract record SessionItem
{
    private SessionItem()
    {
    }

    /// <summary>How answers show it.</summary>
    public abstract RawJson Shown { get; }

    /// <summary>A JSON value.</summary>
    /// <param name="Json">The value.</param>
    public sealed record Value(RawJson Json) : SessionItem
    {
        public override RawJson Shown => Json;
    }

    /// <summary>A file of a job that has succeeded.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="File">Which of its files; null for its picture.</param>
    /// <param name="Type">Its media type.</param>
    public sealed record Made(Job Job, OutputRef? File, string Type) : SessionItem
    {
        public override RawJson Shown => RawJson.Of(
            new FileView(File?.Name, Type, File?.Bytes, $"/v1/jobs/{Job.Id}/{(File is null ? "image" : $"outputs/{File.Name}")}"), SessionJson.Default.FileView);
    }
}

/// <summary>A file in an answer.</summary>
/// <param name="Name">What its engine calls it; null for the picture of its result.</param>
/// <param name="Type">Its media type.</param>
/// <param name="Bytes">Its length; null where it is drawn when somebody asks for it.</param>
/// <param name="Url">Where it can be fetched.</param>
internal sealed record FileView(string? Name, string Type, long? Bytes, string Url);

/// <summary>What an engine says of itself on the channel <see cref="SessionGraph.Status"/>.</summary>
/// <param name="Type"><c>finish</c>, <c>error</c>, or a word of the engine's own.</param>
/// <param name="Message">What went wrong; null for nothing.</param>
internal sealed record StatusItem(
    string? Type, [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Message = null)
{
    /// <summary>The engine has finished.</summary>
    public const string Finish = "finish";

    /// <summary>The engine has failed, and with it the session.</summary>
    public const string Error = "error";

    /// <summary>Reads what an engine has written; null for anything else.</summary>
    public static StatusItem? Of(SessionItem item)
    {
        if (item is not SessionItem.Value { Json: var json })
            return null;
        try
        {
            return JsonSerializer.Deserialize(json.Utf8.Span, SessionJson.Default.StatusItem);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What comes out of a step, by its channels.</summary>
internal static class StepOutputs
{
    /// <summary>
    /// The items that a job gives to an output of its step. A result with a member for one of the step's channels is taken apart by its
    /// members; any other goes as a whole to each channel of type JSON, but for the status.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="port">The output.</param>
    /// <param name="type">The type of its channel.</param>
    /// <param name="job">A job of the step, which has succeeded.</param>
    /// <param name="engines">Which results can be drawn.</param>
    public static IReadOnlyList<SessionItem> Of(GraphStep step, GraphPort port, string type, Job job, EngineCatalogue engines)
    {
        if (type != ChannelTypes.Json)
            return FilesOf(port, type, job, engines);
        var result = job.Result ?? RawJson.EmptyObject;
        using var document = JsonDocument.Parse(result.Utf8);
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object && step.Outputs.Any(o => root.TryGetProperty(o.Name, out _)))
        {
            if (root.TryGetProperty(port.Name, out var member))
                return member.ValueKind == JsonValueKind.Array ? [.. member.EnumerateArray().Select(ValueOf)] : [ValueOf(member)];
            return port.Name == SessionGraph.Status ? [Finished] : [];
        }
        return port.Name == SessionGraph.Status ? [Finished] : [new SessionItem.Value(result)];
    }

    private static SessionItem.Value Finished { get; } = new(RawJson.Of(new StatusItem(StatusItem.Finish), SessionJson.Default.StatusItem));

    private static SessionItem.Value ValueOf(JsonElement value) => new(RawJson.OfText(value.GetRawText()));

    private static IReadOnlyList<SessionItem> FilesOf(GraphPort port, string type, Job job, EngineCatalogue engines)
    {
        var fitting = job.Outputs.Where(o => ChannelTypes.Takes(type, o.MediaType)).ToList();
        var named = fitting.Where(o => Path.GetFileNameWithoutExtension(o.Name).Equals(port.Name, StringComparison.OrdinalIgnoreCase)).ToList();
        List<SessionItem> items = [.. (named.Count > 0 ? named : fitting).Select(o => new SessionItem.Made(job, o, o.MediaType))];
        if (items.Count > 0 || engines.FindOffered(job.Engine) is not { } engine || !ChannelTypes.Takes(type, engine.OutputMediaType) || (job.Output is null && !engine.CanBeDrawn))
            return items;
        return [new SessionItem.Made(job, null, engine.OutputMediaType)];
    }
}
