using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Examples.Stores;
using Spotter.Gateway;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Examples.Doors;

/// <summary>A call is closed unless it says otherwise.</summary>
public sealed class ClosedDoorTests
{
    [Theory]
    [InlineData("forgotten", HttpStatusCode.Unauthorized)]
    [InlineData("open", HttpStatusCode.OK)]
    [InlineData("healthz", HttpStatusCode.OK)]
    public async Task A_call_that_does_not_say_what_it_needs_needs_a_key(string path, HttpStatusCode status)
    {
        var clock = TimeProvider.System;
        var outbox = new InMemoryOutbox(clock);
        var parts = new GatewayDependencies(
            new InMemoryJobStore(new RetrySchedule(), RandomSource.Seeded(1), clock, outbox), new InMemoryBlobStore(), outbox, new WorkerRoster(clock),
            new DecisionLog(), Pools: null, clock, RandomSource.System)
        {
            Doors = [new TwoCalls()],
        };
        await using var gateway = GatewayHost.Create(
            new GatewaySettings { Port = 0, WorkerToken = new string('t', 32), KeysRequired = true }, parts, logging => { });
        await gateway.StartAsync(default);
        using var client = new HttpClient { BaseAddress = gateway.Address };

        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));

        answer.StatusCode.ShouldBe(status);
    }

    private sealed class TwoCalls : IDoor
    {
        public void Map(IEndpointRouteBuilder routes)
        {
            routes.MapGet("/forgotten", () => TypedResults.Ok());
            routes.MapGet("/open", () => TypedResults.Ok()).AllowAnonymous();
        }
    }
}
