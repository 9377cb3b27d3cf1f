using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Mcp;

/// <summary>An argument of a tool.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type in JSON Schema.</param>
/// <param name="Description">What it is, for assistants.</param>
/// <param name="IsRequired">True when the tool can't do without.</param>
internal sealed record ToolArgument(string Name, string Type, string Description, bool IsRequired = false);

/// <summary>A tool for assistants.</summary>
/// <param name="calls">Runs it.</param>
/// <param name="needed">What its caller's key has to be good for.</param>
/// <param name="tool">Its name and description.</param>
/// <param name="arguments">What it takes.</param>
internal abstract class McpTool(ToolCalls calls, NeedsKey needed, Tool tool, IReadOnlyList<ToolArgument> arguments) : McpServerTool
{
    public override Tool ProtocolTool { get; } = WithSchema(tool, arguments);

    public override IReadOnlyList<object> Metadata => [];

    public override async ValueTask<CallToolResult> InvokeAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default) =>
        await calls.RunAsync(ProtocolTool.Name, needed, async http =>
        {
            var given = new ToolArguments(ProtocolTool.Name, request.Params?.Arguments);
            if (given.Names.FirstOrDefault(name => arguments.All(a => a.Name != name)) is not null)
                throw new SpotterException(ErrorCodes.InvalidRequest, $"The tool '{ProtocolTool.Name}' takes {(arguments.Count == 0 ? "no arguments" : string.Join(", ", arguments.Select(a => $"'{a.Name}'")))}, and nothing else.");
            return await RunAsync(http, given, cancellationToken);
        });

    /// <summary>Does what the tool does.</summary>
    /// <exception cref="SpotterException">Why it can't be done.</exception>
    protected abstract Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel);

    private static Tool WithSchema(Tool tool, IReadOnlyList<ToolArgument> arguments)
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(arguments.Select(a => KeyValuePair.Create<string, JsonNode?>(a.Name, new JsonObject { ["type"] = a.Type, ["description"] = a.Description }))),
        };
        if (arguments.Any(a => a.IsRequired))
            schema["required"] = new JsonArray([.. arguments.Where(a => a.IsRequired).Select(a => JsonValue.Create(a.Name))]);
        using var document = JsonDocument.Parse(schema.ToJsonString());
        tool.InputSchema = document.RootElement.Clone();
        return tool;
    }
}

/// <summary>What a tool was given.</summary>
/// <param name="tool">Its name.</param>
/// <param name="values">The values.</param>
internal sealed class ToolArguments(string tool, IDictionary<string, JsonElement>? values)
{
    private readonly IDictionary<string, JsonElement> values = values ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal);

    /// <summary>What was given.</summary>
    public IEnumerable<string> Names => values.Keys;

    /// <summary>A value; null when it was not given.</summary>
    public JsonElement? Find(string name) => values.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>A text; null when it was not given.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw Wrong(name, "a text"),
    };

    /// <summary>A text that has to be there.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public string Required(string name) => Text(name) ?? throw Wrong(name, "needed, a text");

    /// <summary>True or false.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public bool IsTrue(string name, bool byDefault) => Find(name) switch
    {
        null => byDefault,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A whole number within bounds.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public int Number(string name, int byDefault, int least, int most) => Find(name) switch
    {
        null => byDefault,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var value) && value >= least && value <= most => value,
        _ => throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}")),
    };

    private SpotterException Wrong(string name, string what) => new(ErrorCodes.InvalidRequest, $"The argument '{name}' of the tool '{tool}' is {what}.");
}
