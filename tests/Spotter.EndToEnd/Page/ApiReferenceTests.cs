using System.Collections.Concurrent;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Page;

/// <summary>The API reference, as a browser shows it.</summary>
public sealed class ApiReferenceTests(PageService service) : IClassFixture<PageService>
{
    [BrowserFact]
    public async Task It_shows_the_calls_and_asks_no_other_host()
    {
        var address = service.Process.Address;
        await using var visit = await service.Browser.OpenAsync(new Uri("about:blank"));
        var asked = new ConcurrentQueue<string>();
        visit.Page.Request += (_, request) => asked.Enqueue(request.Url);

        await visit.Page.GotoAsync(new Uri(address, "docs").AbsoluteUri);

        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Spotter" }).First).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("Submit one or more pictures").First).ToBeAttachedAsync();
        await visit.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        asked.ShouldContain(url => url.EndsWith("/openapi/v1.json", StringComparison.Ordinal));
        asked.Where(url => !url.StartsWith(address.AbsoluteUri, StringComparison.Ordinal) && !url.StartsWith("data:", StringComparison.Ordinal) && !url.StartsWith("blob:", StringComparison.Ordinal)).ShouldBeEmpty();
        visit.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Its_policy_lets_no_script_in_but_its_own()
    {
        using var http = new HttpClient();
        using var first = await http.GetAsync(new Uri(service.Process.Address, "docs"));
        using var second = await http.GetAsync(new Uri(service.Process.Address, "docs"));

        var policy = first.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("script-src 'nonce-");
        policy.ShouldContain("default-src 'none'");
        policy.ShouldNotContain("unsafe-eval");
        (second.Headers.GetValues("Content-Security-Policy").Single() == policy).ShouldBeFalse("a nonce is used once");
        (await first.Content.ReadAsStringAsync()).ShouldNotContain("cdn.");
    }
}
