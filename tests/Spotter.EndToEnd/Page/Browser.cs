using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Spotter.EndToEnd.Page;

/// <summary>A real Chromium without a screen.</summary>
internal sealed class Browser : IAsyncDisposable
{
    public const string Missing = "there is no Chromium here: install the package chromium, or set SPOTTER_CHROMIUM to the path of a browser";

    private static readonly string[] Usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (this.playwright, this.browser) = (playwright, browser);

    /// <summary>The program; null when there is none.</summary>
    public static string? Executable { get; } =
        ((string?[])[Environment.GetEnvironmentVariable("SPOTTER_CHROMIUM"), .. Usual]).FirstOrDefault(File.Exists);

    public static async Task<Browser> StartAsync()
    {
        var driver = await Playwright.CreateAsync();
        return new Browser(driver, await driver.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Executable,
            Headless = true,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"],
        }));
    }

    /// <summary>Opens the page of a service in a window of its own, and waits until it takes pictures.</summary>
    public async Task<Visit> VisitAsync(Uri address, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light, bool touch = false)
    {
        var visit = await OpenAsync(address, width, height, scheme, touch);
        await Assertions.Expect(visit.Page.GetByTestId("strip")).ToContainTextAsync("of");
        await Assertions.Expect(visit.Page.GetByTestId("file-input")).ToBeEnabledAsync();
        return visit;
    }

    /// <summary>Opens the page of a service in a window of its own.</summary>
    public async Task<Visit> OpenAsync(Uri address, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light, bool touch = false)
    {
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            HasTouch = touch,
            IsMobile = touch,
            AcceptDownloads = true,
        });
        var visit = new Visit(context, await context.NewPageAsync());
        await visit.Page.GotoAsync(address.ToString());
        return visit;
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }
}

/// <summary>One window with the page in it, and everything that it complained about.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly ConcurrentQueue<string> complaints = new();

    public Visit(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.SetDefaultTimeout(120_000);
        Assertions.SetDefaultExpectTimeout(120_000);
        // Violations of the page's policy come as errors too.
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                complaints.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => complaints.Enqueue(error);
    }

    public IPage Page { get; }

    public ILocator Cards => Page.GetByTestId("card");

    /// <summary>What the console has heard so far.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    public ILocator DoneCards => Page.Locator("[data-testid=card][data-state=succeeded]");

    /// <summary>Picks files with the button, as soon as it can be pressed: before a model is known, no picture is taken.</summary>
    public async Task PickAsync(params FilePayload[] files)
    {
        var input = Page.GetByTestId("file-input");
        await Assertions.Expect(input).ToBeEnabledAsync();
        await input.SetInputFilesAsync(files);
    }

    /// <summary>Picks a picture and waits until its card is done; the card.</summary>
    public async Task<ILocator> RunAsync(FilePayload file)
    {
        var before = await Cards.CountAsync();
        await PickAsync(file);
        await Assertions.Expect(DoneCards).ToHaveCountAsync(before + 1);
        return DoneCards.First;
    }

    public ValueTask DisposeAsync() => context.DisposeAsync();
}
