namespace Spotter.EndToEnd.Telegram;

/// <summary>A Bot API server and a service whose bot it is, both of a test's own.</summary>
internal sealed class TelegramService : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<SpotterProcess> processes = [];
    private string model = "";
    private IReadOnlyList<string> arguments = [];

    /// <summary>Telegram.</summary>
    public FakeBotApi Bot { get; private set; } = null!;

    /// <summary>The service, or the last one that was started.</summary>
    public SpotterProcess Service => processes[^1];

    /// <summary>All that were started.</summary>
    public IReadOnlyList<SpotterProcess> Services => processes;

    /// <summary>What all services have said.</summary>
    public string Log => string.Concat(processes.Select(p => p.Log));

    /// <summary>The file with the token.</summary>
    public string TokenFile => folder.File(".telegramToken");

    /// <summary>Starts both.</summary>
    public static async Task<TelegramService> StartAsync(IReadOnlyList<string>? arguments = null, IReadOnlyDictionary<string, string>? environment = null, bool starts = true, string albumWait = "1.5")
    {
        var started = new TelegramService { Bot = await FakeBotApi.StartAsync(), arguments = [.. arguments ?? [], "--telegram-album-wait", albumWait] };
        started.model = PatchModel.Write(started.folder.File("patches.onnx"), oblong: 0.1f);
        await File.WriteAllTextAsync(started.TokenFile, FakeBotApi.Token + "\n");
        if (starts)
            await started.StartServiceAsync(environment);
        return started;
    }

    /// <summary>Starts the service, again or one more.</summary>
    public async Task<SpotterProcess> StartServiceAsync(
        IReadOnlyDictionary<string, string>? environment = null, string data = "data", IReadOnlyList<string>? more = null, string command = "serve")
    {
        var process = await SpotterProcess.StartAsync(
            folder.File(data), model,
            [.. command == "serve" ? (string[])["--max-workers", "1", "--lanes", "2"] : [], "--telegram-token-file", TokenFile, "--telegram-api", Bot.Address.ToString(), .. arguments, .. more ?? []],
            environment, command: command);
        processes.Add(process);
        return process;
    }

    /// <summary>A folder that several services share.</summary>
    public string Shared(string name) => folder.File(name);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        await Bot.DisposeAsync();
        folder.Dispose();
    }
}
