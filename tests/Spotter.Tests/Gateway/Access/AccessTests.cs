using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Tests.Gateway.Access;

/// <summary>Every call that the gateway has, made by everybody who may come: a new call is among them by itself.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> keys = new(StringComparer.Ordinal);
    private GatewayBench bench = null!;

    public async Task InitializeAsync()
    {
        var file = new KeyFile(folder.File("keys.json"));
        foreach (var (name, scopes) in ((string, KeyScopes)[])[("submit", KeyScopes.Submit), ("read", KeyScopes.Read), ("operate", KeyScopes.Operate)])
        {
            var (kept, key) = ApiKey.Make(name, name, scopes, RandomSource.System, TimeProvider.System.GetUtcNow());
            await file.AddAsync(kept, TimeProvider.System, default);
            keys[name] = key;
        }
        bench = await GatewayBench.StartAsync(settings => settings with { KeysFile = folder.File("keys.json"), KeysRequired = true, ClientRate = 0, Compat = true, Sessions = true });
    }

    public async Task DisposeAsync()
    {
        await bench.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Nobody_gets_in_but_with_what_the_call_needs()
    {
        var calls = Calls();
        calls.Count.ShouldBeGreaterThan(25);
        var open = new List<string>();
        foreach (var (method, path, metadata) in calls)
        {
            var call = $"{method} {path}";
            if (metadata.GetMetadata<KeyInForm>() is { } form)
            {
                await ShouldKnowWhoCallsAsync(method, path, form.Needed.Scope);
                continue;
            }
            if (metadata.GetMetadata<IAllowAnonymous>() is not null)
            {
                open.Add(path);
                continue;
            }
            var isWorkers = path.StartsWith("/v1/workers/", StringComparison.Ordinal);
            foreach (var shown in (string?[])[null, "wrong", isWorkers ? keys["operate"] : GatewayBench.Token])
                await ShouldBeAsync(method, path, shown, HttpStatusCode.Unauthorized, "unauthorized");
            if (isWorkers)
            {
                await ShouldGetInAsync(method, path, GatewayBench.Token);
                continue;
            }
            var needed = NeedsKey.Of(metadata)!.Scope;
            foreach (var (name, scope) in ((string, KeyScopes)[])[("submit", KeyScopes.Submit), ("read", KeyScopes.Read), ("operate", KeyScopes.Operate)])
            {
                if (needed == KeyScopes.None || scope == needed)
                    await ShouldGetInAsync(method, path, keys[name]);
                else
                    (await ShouldBeAsync(method, path, keys[name], HttpStatusCode.Forbidden, "forbidden")).ShouldContain($"'{needed.ToString().ToLowerInvariant()}'", customMessage: call);
            }
        }

        open.Distinct(StringComparer.Ordinal).ShouldBe(
        [
            "/healthz", "/readyz", "/openapi/v1.json", "/", "/health", "/v2/health/live", "/v2/health/ready",
            // The API reference, which says no more than the document does.
            "/docs/scalar.js", "/docs/scalar.aspnetcore.js", "/docs/favicon.svg", "/docs/{documentName?}",
            // What camera software asks to see whether there is a server, and what it is refused.
            "/v1/status/ping", "/v1/status/version", "/v1/status/updateavailable", "/v1/server/status/ping", "/v1/server/status/version", "/v1/server/status/updateavailable", "/v1/vision/{**other}",
        ], ignoreOrder: true);
    }

    /// <summary>A call that looks for its key in a form, too, and here finds it in a header or nowhere.</summary>
    private async Task ShouldKnowWhoCallsAsync(string method, string path, KeyScopes needed)
    {
        foreach (var shown in (string?[])[null, "wrong", GatewayBench.Token])
        {
            using var answer = await SendAsync(method, path, shown);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, $"{method} {path} with {shown}");
        }
        foreach (var (name, scope) in ((string, KeyScopes)[])[("submit", KeyScopes.Submit), ("read", KeyScopes.Read), ("operate", KeyScopes.Operate)])
        {
            using var answer = await SendAsync(method, path, keys[name]);
            var isIn = needed == KeyScopes.None || scope == needed;
            (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden).ShouldBe(!isIn, $"{method} {path} with {name}");
        }
    }

    [Fact]
    public async Task No_header_is_answered_by_a_fault_and_none_lets_in()
    {
        var random = RandomSource.Seeded(7);
        var texts = Enumerable.Range(0, 300).Select(i =>
        {
            var bytes = new byte[(int)(random.NextDouble() * 600)];
            random.Fill(bytes);
            var text = new string([.. bytes.Select(b => (char)(33 + (b % 94)))]);
            return (i % 4) switch { 0 => text, 1 => $"Bearer {text}", 2 => $"bearer  {keys["read"]}{text}", _ => $"Basic {text}" };
        });
        foreach (var text in (string[])[.. texts, "Bearer", "Bearer ", "Bearer  ", "", "Bearer,Bearer", keys["read"], $"Bearer {keys["read"][..^1]}"])
        {
            foreach (var header in (string[])["Authorization", "X-API-Key"])
            {

                if (header == "X-API-Key" && text == keys["read"])
                    continue;
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/v1/stats", UriKind.Relative));
                request.Headers.TryAddWithoutValidation(header, text);
                using var answer = await bench.Client.SendAsync(request);
                answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, $"{header}: {text}");
            }
        }
    }

    [Fact]
    public async Task No_key_and_no_token_gets_into_the_log()
    {
        await ShouldBeAsync("GET", "/v1/stats", keys["submit"], HttpStatusCode.Forbidden, "forbidden");
        await ShouldBeAsync("GET", "/v1/stats", $"{keys["read"]}x", HttpStatusCode.Unauthorized, "unauthorized");
        await ShouldGetInAsync("GET", "/v1/stats", keys["read"]);
        await ShouldBeAsync("PUT", "/v1/workers/w", $"{GatewayBench.Token}x", HttpStatusCode.Unauthorized, "unauthorized");
        await ShouldGetInAsync("POST", "/v1/workers/w/leave", GatewayBench.Token);

        bench.Log.ShouldNotBeEmpty();
        foreach (var secret in (string[])[.. keys.Values, GatewayBench.Token])
            bench.Log.ShouldNotContain(line => line.Contains(secret, StringComparison.Ordinal));
    }

    /// <summary>All calls, with something in place of their parameters.</summary>
    private List<(string Method, string Path, EndpointMetadataCollection Metadata)> Calls() =>
    [
        .. from call in bench.Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           let path = call.RoutePattern.RawText!.Replace("{documentName}", "v1", StringComparison.Ordinal)
           from method in call.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
           select (method, System.Text.RegularExpressions.Regex.Replace(path, @"\{\w+\}", "w", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)), call.Metadata),
    ];

    private async Task<string> ShouldBeAsync(string method, string path, string? shown, HttpStatusCode status, string code)
    {
        using var answer = await SendAsync(method, path, shown);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, $"{method} {path} with {shown}: {text}");
        var problem = JsonDocument.Parse(text).RootElement;
        answer.Headers.WwwAuthenticate.Count.ShouldBe(status == HttpStatusCode.Unauthorized ? 1 : 0);
        if (path.StartsWith("/v2", StringComparison.Ordinal))
            return problem.GetProperty("error").GetString()!;
        if (path.StartsWith("/api/v1", StringComparison.Ordinal))
            return problem.GetProperty("message").GetString()!;
        problem.GetProperty("code").GetString().ShouldBe(code);
        return problem.GetProperty("detail").GetString()!;
    }

    private async Task ShouldGetInAsync(string method, string path, string shown)
    {
        using var answer = await SendAsync(method, path, shown);
        answer.StatusCode.ShouldNotBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.InternalServerError);
    }

    private Task<HttpResponseMessage> SendAsync(string method, string path, string? shown)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        if (shown is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {shown}");
        return bench.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
