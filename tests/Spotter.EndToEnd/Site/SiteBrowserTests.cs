using System.Collections.Concurrent;
using Microsoft.Playwright;
using Spotter.EndToEnd.Page;
using static Microsoft.Playwright.Assertions;

namespace Spotter.EndToEnd.Site;

/// <summary>The site in a browser that reaches nothing else.</summary>
public sealed class SiteBrowserTests
{
    private const int Phone = 390;

    private static readonly string[] Pages = ["", "README.html", "docs/options.html", "docs/settings.html", "docs/performance.html", "docs/jobs.html", "api/Spotter.Engine.EngineWork.html"];

    [SiteBrowserFact]
    public async Task A_page_fits_a_phone_in_light_and_dark_and_asks_only_its_own_server()
    {
        await using var server = await SiteServer.StartAsync();
        await using var browser = await Browser.StartAsync();
        foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await using var visit = await browser.OpenAsync(new Uri("about:blank"), Phone, 844, scheme);
            var asked = Watch(visit);
            foreach (var page in Pages)
            {
                await visit.Page.GotoAsync(new Uri(server.Address, page).ToString(), new() { WaitUntil = WaitUntilState.NetworkIdle });
                (await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(Phone, page);
                // The sum of red, green and blue: 765 is white.
                (await visit.Page.EvaluateAsync<int>("() => getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)") > 382)
                    .ShouldBe(scheme == ColorScheme.Light, page);
            }
            asked.ShouldAllBe(address => address.StartsWith(server.Address.ToString(), StringComparison.Ordinal));
            asked.Count.ShouldBeGreaterThan(Pages.Length);
            visit.Complaints.ShouldBeEmpty();
        }
    }

    [SiteBrowserFact]
    public async Task Search_and_the_table_of_contents_lead_to_pages()
    {
        await using var server = await SiteServer.StartAsync();
        await using var browser = await Browser.StartAsync();
        await using var visit = await browser.OpenAsync(new Uri("about:blank"));
        var asked = Watch(visit);
        await visit.Page.GotoAsync(server.Address.ToString());

        await visit.Page.Locator("#search-query").FillAsync("BotFather");
        // What is found opens beside the list.
        var found = await visit.Page.Context.RunAndWaitForPageAsync(() => visit.Page.Locator("#search-results a", new() { HasText = "A Telegram bot" }).ClickAsync());
        await Expect(found.Locator("h1")).ToHaveTextAsync("A Telegram bot");
        await found.Locator("#toc").GetByRole(AriaRole.Link, new() { Name = "Settings", Exact = true }).ClickAsync();
        await Expect(found.Locator("h1")).ToHaveTextAsync("Settings");

        asked.ShouldAllBe(address => address.StartsWith(server.Address.ToString(), StringComparison.Ordinal));
        visit.Complaints.ShouldBeEmpty();
    }

    /// <summary>What a window asks for from now on, wherever that is.</summary>
    private static ConcurrentQueue<string> Watch(Visit visit)
    {
        var asked = new ConcurrentQueue<string>();
        visit.Page.Context.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("data:", StringComparison.Ordinal))
                asked.Enqueue(request.Url);
        };
        return asked;
    }
}
