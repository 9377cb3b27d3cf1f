using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Spotter.Tests.Load;

/// <summary>How a <see cref="FakeService"/> breaks its promises.</summary>
public enum Lie
{
    None,
    NeverEndsSome,
    ForgetsSome,
    MakesTwoJobsOfSome,
    GivesOneJobToTwo,
    ChangesSomeAfterTheirEnd,
    ForgetsKeys,
}

/// <summary>A server with the API of Spotter that accepts pictures, answers at once, and lies as it is told.</summary>
public sealed class FakeService : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Lock gate = new();
    private readonly List<Row> rows = [];
    private readonly Dictionary<string, Row> byKey = new(StringComparer.Ordinal);
    private int requests;

    private FakeService(WebApplication app) => this.app = app;

    private sealed record Row(string Id, string Name, int Number)
    {
        public int Looks { get; set; }
    }

    public Lie Lie { get; init; }

    /// <summary>Every so manieth request is answered by breaking the connection, after the job was stored.</summary>
    public int BreaksEvery { get; init; } = int.MaxValue;

    /// <summary>Every so manieth request is told to come again.</summary>
    public int RefusesEvery { get; init; } = int.MaxValue;

    /// <summary>The key that callers have to show.</summary>
    public string? Key { get; init; }

    /// <summary>False for a service that refuses what it does not know.</summary>
    public bool KnowsReuse { get; init; } = true;

    public string Address { get; private set; } = null!;

    /// <summary>Requests for a job that carried <c>reuse=false</c>.</summary>
    public int WithReuse { get; private set; }

    /// <summary>Jobs that were made.</summary>
    public int Jobs
    {
        get
        {
            lock (gate)
                return rows.Count;
        }
    }

    public static async Task<FakeService> StartAsync(
        Lie lie = Lie.None, int breaksEvery = int.MaxValue, int refusesEvery = int.MaxValue, string? key = null, bool knowsReuse = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var service = new FakeService(builder.Build()) { Lie = lie, BreaksEvery = breaksEvery, RefusesEvery = refusesEvery, Key = key, KnowsReuse = knowsReuse };
        service.app.Use(service.CheckKeyAsync);
        service.app.MapPost("/v1/jobs", service.AcceptAsync);
        service.app.MapGet("/v1/jobs", service.List);
        service.app.MapGet("/v1/jobs/{id}", service.Find);
        await service.app.StartAsync();
        service.Address = service.app.Urls.Single();
        return service;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private static bool Chosen(int number) => number % 10 == 3;

    private Task CheckKeyAsync(HttpContext http, RequestDelegate next)
    {
        if (Key is null || http.Request.Headers.Authorization == $"Bearer {Key}")
            return next(http);
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return http.Response.WriteAsJsonAsync(new { code = "unauthorized", detail = "The key is missing or wrong." });
    }

    private async Task AcceptAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync();
        var turn = Interlocked.Increment(ref requests);
        if (turn % RefusesEvery == 0)
        {
            http.Response.Headers.RetryAfter = "0";
            await RefuseAsync(http, StatusCodes.Status429TooManyRequests, "rate_limited", "Too fast.");
            return;
        }
        if (form.ContainsKey("reuse"))
        {
            if (!KnowsReuse)
            {
                await RefuseAsync(http, StatusCodes.Status400BadRequest, "invalid_request", "The field 'reuse' is unknown; leave it out.");
                return;
            }
            WithReuse++;
        }
        Row row;
        lock (gate)
            row = Store(http.Request.Headers["Idempotency-Key"].ToString(), form.Files["image"]!.FileName);
        if (turn % BreaksEvery == 0)
        {
            http.Abort();
            return;
        }
        http.Response.StatusCode = StatusCodes.Status202Accepted;
        await http.Response.WriteAsJsonAsync(Show(row, "queued"));
    }

    private Row Store(string key, string name)
    {
        if (Lie != Lie.ForgetsKeys && byKey.TryGetValue(key, out var known))
            return known;
        var number = rows.Count;
        if (Lie == Lie.GivesOneJobToTwo && Chosen(byKey.Count))
            return byKey[key] = rows[^1];
        var row = new Row(number.ToString("x32", CultureInfo.InvariantCulture), name, number);
        rows.Add(row);
        if (Lie == Lie.MakesTwoJobsOfSome && Chosen(number))
            rows.Add(new Row((1_000_000 + number).ToString("x32", CultureInfo.InvariantCulture), name, number + 1));
        byKey[key] = row;
        return row;
    }

    private IResult List(string? after, int limit = 50)
    {
        lock (gate)
        {
            var from = after is null ? rows.Count : rows.FindIndex(row => row.Id == after);
            var page = rows.Take(Math.Max(0, from)).Reverse().Where(row => !IsForgotten(row)).Take(limit).ToList();
            var next = page.Count == limit ? page[^1].Id : null;
            return TypedResults.Ok(new { jobs = page.Select(Look).ToList(), next });
        }
    }

    private IResult Find(string id)
    {
        lock (gate)
        {
            return rows.Find(row => row.Id == id) is { } row && !IsForgotten(row)
                ? TypedResults.Ok(Look(row))
                : TypedResults.Json(new { code = "not_found", detail = "There is no such job." }, statusCode: 404);
        }
    }

    private bool IsForgotten(Row row) => Lie == Lie.ForgetsSome && Chosen(row.Number);

    private object Look(Row row)
    {
        row.Looks++;
        var never = Lie == Lie.NeverEndsSome && Chosen(row.Number);
        var changed = Lie == Lie.ChangesSomeAfterTheirEnd && Chosen(row.Number) && row.Looks > 1;
        return Show(row, never ? "running" : changed ? "failed" : "succeeded");
    }

    private static object Show(Row row, string state)
    {
        var created = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return new { id = row.Id, name = row.Name, state, created, finished = created.AddMilliseconds(5), attempts = 1 };
    }

    private static Task RefuseAsync(HttpContext http, int status, string code, string detail)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(new { code, detail });
    }
}
