namespace Spotter.EndToEnd.Page;

/// <summary>A service and a browser that the tests of the page share.</summary>
public sealed class PageService : RunningService, IAsyncLifetime
{
    internal Browser Browser { get; private set; } = null!;

    async Task IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        if (Browser.Executable is not null)
            Browser = await Browser.StartAsync();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        if (Browser is not null)
            await Browser.DisposeAsync();
        await DisposeAsync();
    }
}
