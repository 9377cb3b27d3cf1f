using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Mcp;

namespace Spotter.Cli.Mcp;

/// <summary>Passes an assistant's calls of tools, which come on standard input, on to a service. Pictures may be files of this machine.</summary>
internal sealed class McpRelay : IAsyncDisposable
{
    private readonly ServiceClient service;
    private readonly McpClient client;

    private McpRelay(ServiceClient service, McpClient client) => (this.service, this.client) = (service, client);

    /// <summary>Finds out what the service offers.</summary>
    /// <exception cref="SpotterException">It can't be reached, or refuses.</exception>
    public static async Task<McpRelay> ConnectAsync(ServiceClient service, CancellationToken cancel)
    {
        // Says in a sentence what is wrong with the address or the key, which the protocol's client can't.
        await service.GetAsync("/v1/models", ServiceJson.Default.JsonElement, cancel);
        var transport = new HttpClientTransport(
            new HttpClientTransportOptions { Endpoint = new Uri(service.Url, McpContract.Path), TransportMode = HttpTransportMode.StreamableHttp }, service.Http, loggerFactory: null, ownsHttpClient: false);
        try
        {
            return new McpRelay(service, await McpClient.CreateAsync(transport, cancellationToken: cancel));
        }
        catch (Exception failed) when (failed is HttpRequestException or McpException or IOException)
        {
            throw Failed(service, failed);
        }
    }

    /// <summary>Passes calls on until the assistant closes standard input.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var options = new McpServerOptions { ServerInfo = client.ServerInfo, ServerInstructions = client.ServerInstructions };
        options.Handlers.ListToolsHandler = async (request, stop) =>
        {
            var listed = await client.ListToolsAsync(request.Params ?? new ListToolsRequestParams(), stop);
            foreach (var tool in listed.Tools.Where(t => t.Name == McpContract.SubmitPicture))
                LocalPicture.Offer(tool);
            return listed;
        };
        options.Handlers.CallToolHandler = (request, stop) => CallAsync(request.Params!, stop);
        await using var transport = new StdioServerTransport(options);
        await using var server = McpServer.Create(transport, options);
        await server.RunAsync(cancel);
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private async ValueTask<CallToolResult> CallAsync(CallToolRequestParams call, CancellationToken cancel)
    {
        try
        {
            var arguments = call.Arguments ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            if (call.Name == McpContract.SubmitPicture)
                arguments = LocalPicture.Read(arguments);
            return await client.CallToolAsync(new CallToolRequestParams { Name = call.Name, Arguments = arguments }, cancel);
        }
        catch (SpotterException refusal)
        {
            return Error(refusal);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return Error(Failed(service, failed));
        }
    }

    private static CallToolResult Error(SpotterException refusal) => new() { IsError = true, Content = [new TextContentBlock { Text = $"{refusal.Message} ({refusal.Code})" }] };

    private static SpotterException Failed(ServiceClient service, Exception failed) =>
        new(ErrorCodes.StoreUnavailable, $"The tools of {service.Url} can't be used ({ServiceClient.Why(failed)}); check that it runs, that it is as new as this program, and that --key-file has a key of it.", failed);
}
