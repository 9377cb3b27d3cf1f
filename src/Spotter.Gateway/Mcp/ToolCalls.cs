using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Protocol;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Mcp;

/// <summary>What becomes of every call of a tool: who may make it, and how its failure is told.</summary>
internal sealed partial class ToolCalls(IHttpContextAccessor contexts, GatewayMeters meters, StoreMonitor stores, ILogger<ToolCalls> log)
{
    /// <summary>Runs a tool for whoever made the request.</summary>
    /// <param name="tool">Its name.</param>
    /// <param name="needed">What its caller's key has to be good for.</param>
    /// <param name="run">Does it.</param>
    public async Task<CallToolResult> RunAsync(string tool, NeedsKey needed, Func<HttpContext, Task<CallToolResult>> run)
    {
        var http = contexts.HttpContext ?? throw new InvalidOperationException("A tool was called outside of a request.");
        try
        {
            if (!Caller.Of(http).Scopes.HasFlag(needed.Scope))
                throw ApiKeyHandler.Forbidden(http, needed);
            return await run(http);
        }
        catch (SpotterException refusal)
        {
            var problem = Problems.Of(refusal.Code, refusal.Message);
            if (problem.Status >= StatusCodes.Status500InternalServerError && refusal.InnerException is not null && !stores.Note(refusal))
                LogFailure(refusal, tool);
            var again = Problems.RetryAfterSeconds(problem, refusal.RetryAfter) is { } seconds ? string.Create(CultureInfo.InvariantCulture, $" Try again in {seconds} s.") : "";
            return Failed(http, problem, again);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            if (!stores.Note(fault))
                LogFailure(fault, tool);
            return Failed(http, Problems.Of(ErrorCodes.Internal, "Something went wrong inside Spotter; its log says what."), "");
        }
    }

    private CallToolResult Failed(HttpContext http, Problem problem, string again)
    {
        meters.Refused(problem.Code);
        AuditEntry.Refused(http, problem);
        return new CallToolResult { IsError = true, Content = [new TextContentBlock { Text = $"{problem.Detail}{again} ({problem.Code})" }] };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The tool {Tool} failed")]
    private partial void LogFailure(Exception exception, string tool);
}
