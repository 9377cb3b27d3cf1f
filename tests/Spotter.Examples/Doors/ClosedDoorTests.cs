using Microsoft.Extensions.DependencyInjection;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Examples.Stores;
using Spotter.Gateway;
using Spotter.Gateway.Hosting;
using Spotter.Jobs;

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
        var builder = GatewayHost.CreateBuilder();
        builder.Services.AddSingleton(new GatewaySettings { Port = 0, WorkerToken = new string('t', 32), KeysRequired = true })
            .AddSingleton<IJobStore>(new InMemoryJobStore(new RetrySchedule(), RandomSource.Seeded(1), clock, outbox))
            .AddSingleton<IBlobStore, InMemoryBlobStore>().AddSingleton<IOutbox>(outbox)
            .AddGateway()
            .AddDoor(new TwoCalls());
        await using var gateway = builder.Build().MapGateway();
        await gateway.StartAsync(default);
        using var client = new HttpClient { BaseAddress = gateway.Address() };

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
