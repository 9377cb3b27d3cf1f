using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Mcp;

/// <summary>
/// The Model Context Protocol (https://modelcontextprotocol.io), over HTTP at <c>/mcp</c>: tools for assistants. Each call stands for
/// itself, so any gateway can answer it. Pictures go through the queue like all else. See docs/mcp.md.
/// </summary>
internal sealed class McpDoor : IDoor
{
    public void Add(IServiceCollection services)
    {
        services.AddHttpContextAccessor().AddSingleton<ToolCalls>().AddSingleton<ToolBodies>().AddSingleton<JobAnswers>();
        services.AddSingleton<McpServerTool, SubmitPicture>()
            .AddSingleton<McpServerTool, GetJob>()
            .AddSingleton<McpServerTool, WaitForJob>()
            .AddSingleton<McpServerTool, ListJobs>()
            .AddSingleton<McpServerTool, CancelJob>()
            .AddSingleton<McpServerTool, ListModels>()
            .AddSingleton<McpServerTool, InspectModel>()
            .AddSingleton<McpServerTool, QueueState>();
        // The library writes a line or two for each call, with what the client says of itself in it; what is wrong here is logged by ToolCalls.
        services.Configure<LoggerFilterOptions>(log => log.AddFilter("ModelContextProtocol", LogLevel.Critical));
        services.AddMcpServer(options =>
        {
            options.ServerInfo = new Implementation { Name = "spotter", Title = "Spotter", Version = typeof(McpDoor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0" };
            options.ServerInstructions = "Finds objects in pictures. list_models says what can be found; submit_picture sends a picture and waits for the result; "
                + "wait_for_job goes on waiting for one that takes longer. Boxes are in pixels of the upright picture, origin top left.";
        }).WithHttpTransport(http => http.SessionMode = HttpServerSessionMode.Stateless);
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        var bodies = routes.ServiceProvider.GetRequiredService<ToolBodies>();
        var calls = routes.MapMcp(McpContract.Path);
        // Which scope it needs depends on the tool, which stands in the body: each checks that itself.
        calls.WithMetadata(CallCost.Other, NeedsKey.OfAnyKind, new ExcludeFromDescriptionAttribute());
        calls.Finally(call =>
        {
            if (call.RequestDelegate is { } answer)
                call.RequestDelegate = http => bodies.LimitAsync(http, answer);
        });
    }
}
