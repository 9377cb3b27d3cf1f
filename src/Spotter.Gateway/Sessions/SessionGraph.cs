using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Sessions;

/// <summary>
/// What a session does: engines, and the channels between them, of which each reads some and writes others. It never changes: it is the
/// input of the session's job.
/// </summary>
/// <param name="Channels">The channels.</param>
/// <param name="Steps">The engines, each with its place in the graph.</param>
/// <param name="Start">What goes in at the beginning.</param>
internal sealed record SessionGraph(IReadOnlyList<GraphChannel> Channels, IReadOnlyList<GraphStep> Steps, IReadOnlyList<GraphStart> Start)
{
    /// <summary>The channel on which engines say that they have finished, or failed.</summary>
    public const string Status = "Status";

    private const int MostSteps = 32;
    private const int MostChannels = 64;
    private const int MostStarts = 64;
    private const int LongestName = 100;

    /// <summary>The steps that write to a channel.</summary>
    public IEnumerable<int> WritersOf(int channel) => Enumerable.Range(0, Steps.Count).Where(i => Steps[i].Outputs.Any(o => o.Channel == channel));

    /// <summary>The steps that may begin: nobody has begun them, and whatever they read is there.</summary>
    /// <param name="begun">Those that have begun.</param>
    /// <param name="ended">Those that have ended.</param>
    public IReadOnlyList<int> Ready(IReadOnlySet<int> begun, IReadOnlySet<int> ended) =>
        [.. Enumerable.Range(0, Steps.Count).Where(i => !begun.Contains(i) && Steps[i].Inputs.All(input => WritersOf(input.Channel).All(ended.Contains)))];

    /// <summary>How many files go in at the beginning.</summary>
    public int Files => Start.Where(s => Channels[s.Channel].Type != ChannelTypes.Json).Sum(s => CountIn(s.Payload));

    private static int CountIn(RawJson payload)
    {
        using var document = JsonDocument.Parse(payload.Utf8);
        return document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.GetArrayLength() : 1;
    }

    /// <summary>One engine, with its own channels and no others.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static SessionGraph Of(SingleRequest request)
    {
        if (request.Inputs is not { Count: > 0 } inputs)
            throw Invalid("The session has no inputs; send 'inputs', an object with the engine's input channels, each with 'type' and 'payload'.");
        if (inputs.Count > MostChannels || request.Outputs?.Count > MostChannels || request.ResultChannels?.Count > MostChannels)
            throw TooMany();
        var outputs = request.Outputs is { Count: > 0 } asked
            ? asked.Select(o => new GraphChannel(NameOf(o.Key), TypeOf(o.Value?.Type, o.Key), o.Value?.Interested == true)).ToList()
            : [new GraphChannel("Result", ChannelTypes.Json, true), new GraphChannel(Status, ChannelTypes.Json, true)];
        if (request.ResultChannels is { Count: > 0 } shown)
        {
            foreach (var name in shown)
            {
                if (outputs.TrueForAll(o => o.Name != name))
                    throw Invalid($"'resultChannels' names {Quoted(name ?? "null")}, which is none of the outputs.");
            }
            outputs = [.. outputs.Select(o => o with { Interested = shown.Contains(o.Name, StringComparer.Ordinal) })];
        }
        List<GraphChannel> channels = [.. outputs, .. inputs.Select(i => new GraphChannel(NameOf(i.Key), TypeOf(i.Value?.Type, i.Key), false))];
        return new SessionGraph(
            channels,
            [new GraphStep(request.EngineId ?? throw Invalid("The session names no engine; send 'engineId'."), [.. inputs.Select((i, n) => new GraphPort(i.Key, outputs.Count + n))], [.. outputs.Select((o, n) => new GraphPort(o.Name, n))])],
            [.. inputs.Select((i, n) => new GraphStart(outputs.Count + n, i.Value?.Payload ?? throw Invalid($"The input {Quoted(i.Key)} has no 'payload'.")))]);
    }

    /// <summary>Several engines.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static SessionGraph Of(WorkflowRequest request)
    {
        if (request.Engines is not { Count: > 0 } engines || request.DataChannels is not { Count: > 0 } channels)
            throw Invalid("The workflow has no engines, or no channels between them; send 'dataChannels', 'engines' and 'startData'.");
        if (engines.Count > MostSteps || channels.Count > MostChannels || request.StartData?.Count > MostStarts || engines.Any(e => e?.Inputs?.Count > MostChannels || e?.Outputs?.Count > MostChannels))
            throw TooMany();
        List<GraphChannel> all = [.. channels.Select(c => new GraphChannel(NameOf(c?.Name), TypeOf(c!.Type, c.Name!), c.Interested))];
        if (all.DistinctBy(c => c.Name, StringComparer.Ordinal).Count() < all.Count)
            throw Invalid("Two of the 'dataChannels' have one name.");
        var byName = all.Index().ToDictionary(c => c.Item.Name, c => c.Index, StringComparer.Ordinal);

        GraphPort PortOf(WorkflowPort? port, string engine)
        {
            var name = NameOf(port?.Name);
            if (!byName.TryGetValue(port!.LinkTo ?? "", out var channel))
                throw Invalid($"{Quoted(name)} of the engine {Quoted(engine)} is linked to {Quoted(port.LinkTo ?? "")}, which is none of the 'dataChannels'.");
            return port.Type is null || TypeOf(port.Type, name) == all[channel].Type ? new GraphPort(name, channel)
                : throw Invalid($"{Quoted(name)} of the engine {Quoted(engine)} is of another type than the channel {Quoted(all[channel].Name)} that it is linked to.");
        }

        return new SessionGraph(
            all,
            [.. engines.Select(e => new GraphStep(
                e?.Id ?? throw Invalid("An engine of the workflow has no 'id'."), [.. (e.Inputs ?? []).Select(p => PortOf(p, e.Id))], [.. (e.Outputs ?? []).Select(p => PortOf(p, e.Id))]))],
            [.. (request.StartData ?? []).Select(s => byName.TryGetValue(s?.ChannelName ?? "", out var channel)
                ? new GraphStart(channel, s!.Payload ?? throw Invalid($"What goes into the channel {Quoted(s.ChannelName!)} has no 'payload'."))
                : throw Invalid($"'startData' names {Quoted(s?.ChannelName ?? "")}, which is none of the 'dataChannels'."))]);
    }

    /// <summary>The graph as it can be run: its engines by their names.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: it never ends, or never begins; <see cref="ErrorCodes.UnknownEngine"/>.</exception>
    public SessionGraph Checked(EngineCatalogue engines)
    {
        foreach (var step in Steps)
        {
            if (step.Inputs.Count == 0)
                throw Invalid($"The engine {Quoted(step.Engine)} has no inputs.");
            if (HasTwins(step.Inputs) || HasTwins(step.Outputs))
                throw Invalid($"The engine {Quoted(step.Engine)} has two inputs, or two outputs, of one name.");
            if (step.Inputs.FirstOrDefault(i => !WritersOf(i.Channel).Any() && Start.All(s => s.Channel != i.Channel)) is { } dry)
                throw Invalid($"Nothing ever comes through {Quoted(Channels[dry.Channel].Name)}, which the engine {Quoted(step.Engine)} reads; give it start data, or have an engine write to it.");
        }
        var ended = new HashSet<int>();
        while (Ready(ended, ended) is [_, ..] ready)
            ended.UnionWith(ready);
        if (ended.Count < Steps.Count)
            throw Invalid($"The engine {Quoted(Steps[Enumerable.Range(0, Steps.Count).First(i => !ended.Contains(i))].Engine)} would wait for what comes after it; the engines form a circle.");
        return this with
        {
            Steps = [.. Steps.Select(step => step with
            {
                Engine = engines.FindById(step.Engine)?.Name
                    ?? throw new SpotterException(ErrorCodes.UnknownEngine, $"There is no engine {Quoted(step.Engine)}; GET /v1/engines lists those that there are."),
            })],
        };
    }

    private static bool HasTwins(IReadOnlyList<GraphPort> ports) => ports.DistinctBy(p => p.Name, StringComparer.Ordinal).Count() < ports.Count;

    private static SpotterException TooMany() => Invalid($"A session has at most {MostSteps} engines, {MostChannels} channels and {MostStarts} items of start data, and an engine at most {MostChannels} inputs and outputs.");

    private static string NameOf(string? name) => name is { Length: > 0 and <= LongestName } && !name.Any(char.IsControl)
        ? name
        : throw Invalid($"A channel has no name, or one that can't be: 1 to {LongestName} characters.");

    private static string TypeOf(string? type, string channel) => ChannelTypes.All.FirstOrDefault(t => t.Equals(type, StringComparison.OrdinalIgnoreCase))
        ?? throw Invalid($"The type of the channel {Quoted(channel)} is none of {string.Join(", ", ChannelTypes.All)}.");

    /// <summary>What a client calls something, no longer than it needs to be known again.</summary>
    private static string Quoted(string name) => $"'{(name.Length <= LongestName ? name : name[..LongestName] + "…")}'";

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}

/// <summary>A channel.</summary>
/// <param name="Name">What answers call it.</param>
/// <param name="Type">One of <see cref="ChannelTypes"/>.</param>
/// <param name="Interested">True when what goes through it is a result of the session.</param>
internal sealed record GraphChannel(string Name, string Type, bool Interested);

/// <summary>An engine at its place.</summary>
/// <param name="Engine">Its name.</param>
/// <param name="Inputs">What it reads.</param>
/// <param name="Outputs">What it writes.</param>
internal sealed record GraphStep(string Engine, IReadOnlyList<GraphPort> Inputs, IReadOnlyList<GraphPort> Outputs);

/// <summary>Where an engine is connected.</summary>
/// <param name="Name">What the engine calls the channel.</param>
/// <param name="Channel">Which channel it is.</param>
internal sealed record GraphPort(string Name, int Channel);

/// <summary>What goes in at the beginning.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Payload">What goes in.</param>
internal sealed record GraphStart(int Channel, RawJson Payload);
