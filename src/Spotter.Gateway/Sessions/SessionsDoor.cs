using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Gateway.Access;
using Spotter.Gateway.Deliveries;

namespace Spotter.Gateway.Sessions;

/// <summary>
/// Sessions: one engine, or several that pass on to each other what they make, as one thing to wait for, stop and be told of. A session
/// is a job that the gateways run, and what it does are jobs like any others. On with <c>--sessions</c>; see docs/sessions.md.
/// </summary>
internal sealed class SessionsDoor : IDoor
{
    public void Add(IServiceCollection services) => services
        .AddSingleton<SessionSteps>().AddSingleton<SessionPresenter>().AddSingleton<SessionEndpoints>().AddSingleton<IErrorFormat, SessionErrors>()
        .AddDeliveryChannel<SessionChannel>().AddHostedService<SessionRunner>();

    public void Map(IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<GatewaySettings>().Sessions)
            return;
        var api = routes.MapGroup(SessionErrors.Path).ExcludeFromDescription();
        foreach (var kind in (string[])[SessionId.Single, SessionId.Workflow])
        {
            api.MapPost($"/{kind}", (HttpContext http, SessionEndpoints sessions) => sessions.StartAsync(http, kind)).WithMetadata(CallCost.Submission, NeedsKey.ToSubmit);
            api.MapGet($"/{kind}/{{id}}", (HttpContext http, string id, SessionEndpoints sessions, string? channel = null) => sessions.ShowAsync(http, kind, id, channel))
                .WithMetadata(CallCost.Other, NeedsKey.ToRead);
            api.MapPost($"/{kind}/{{id}}/stop", (HttpContext http, string id, SessionEndpoints sessions) => sessions.StopAsync(http, kind, id)).WithMetadata(CallCost.Other, NeedsKey.ToSubmit);
        }
    }
}

/// <summary>Refusals, in the form of the session API's other answers.</summary>
internal sealed class SessionErrors(GatewaySettings settings) : IErrorFormat
{
    /// <summary>What the addresses of all its calls begin with.</summary>
    public const string Path = "/api/v1";

    public bool IsFor(HttpContext http) => settings.Sessions && http.Request.Path.StartsWithSegments(Path, StringComparison.Ordinal);

    public Task WriteAsync(HttpContext http, Problem problem, CancellationToken cancel) =>
        TypedResults.Json(new SessionAnswer("error", problem.Detail, Data: null), SessionJson.Default.SessionAnswer, statusCode: problem.Status).ExecuteAsync(http);
}
