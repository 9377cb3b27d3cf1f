using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Spotter.EndToEnd.Mcp;

/// <summary>An assistant, as far as the service can tell: the official client of the Model Context Protocol.</summary>
internal sealed class Assistant(McpClient client) : IAsyncDisposable
{
    public McpClient Client => client;

    /// <summary>One that calls an address.</summary>
    public static async Task<Assistant> ConnectAsync(Uri service, string? key)
    {
        var options = new HttpClientTransportOptions { Endpoint = new Uri(service, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp };
        if (key is not null)
            options.AdditionalHeaders = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = $"Bearer {key}" };
        return new Assistant(await McpClient.CreateAsync(new HttpClientTransport(options)));
    }

    /// <summary>One that starts the program.</summary>
    public static async Task<Assistant> StartAsync(params string[] arguments) => new(await McpClient.CreateAsync(new StdioClientTransport(
        new StdioClientTransportOptions { Name = "spotter", Command = "dotnet", Arguments = [SpotterProgram.File, "mcp", .. arguments] })));

    public async Task<CallToolResult> CallAsync(string tool, params (string Name, object? Value)[] arguments) =>
        await client.CallToolAsync(tool, arguments.ToDictionary(a => a.Name, a => a.Value, StringComparer.Ordinal));

    /// <summary>A call that succeeds; its answer.</summary>
    public async Task<JsonElement> AskAsync(string tool, params (string Name, object? Value)[] arguments) => JsonOf(await CallAsync(tool, arguments));

    /// <summary>A call that fails; what the assistant is told.</summary>
    public async Task<string> FailAsync(string tool, params (string Name, object? Value)[] arguments)
    {
        var result = await CallAsync(tool, arguments);
        result.IsError.ShouldBe(true);
        return TextOf(result);
    }

    public static JsonElement JsonOf(CallToolResult result)
    {
        result.IsError.ShouldNotBe(true, TextOf(result));
        return JsonDocument.Parse(TextOf(result)).RootElement;
    }

    public static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
