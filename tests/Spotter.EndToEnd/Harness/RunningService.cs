namespace Spotter.EndToEnd.Harness;

/// <summary>One service that the tests of a class share: none of them may leave it in another state than it found it in.</summary>
public class RunningService : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();

    /// <summary>The service.</summary>
    public SpotterProcess Process { get; private set; } = null!;

    /// <summary>A client of it.</summary>
    public SpotterApi Api { get; private set; } = null!;

    /// <summary>Its data folder.</summary>
    public string Data => folder.File("data");

    /// <summary>What else it is started with.</summary>
    protected virtual IReadOnlyList<string> Arguments => ["--max-workers", "1", "--lanes", "2"];

    /// <summary>The settings that it is given as variables.</summary>
    protected virtual IReadOnlyDictionary<string, string>? Variables => null;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Process = await SpotterProcess.StartAsync(Data, WriteModel(folder), Arguments, Variables);
        Api = new SpotterApi(Process.Address);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        Api?.Dispose();
        if (Process is not null)
            await Process.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Every file below the data folder that holds a picture.</summary>
    public IReadOnlyList<string> Blobs() => BlobsIn(Data);

    /// <summary>Every file below a data folder that holds a picture, or the beginning of one.</summary>
    public static IReadOnlyList<string> BlobsIn(string data) =>
        [.. Directory.EnumerateFiles(Path.Combine(data, "blobs"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "spotter-owner").Order(StringComparer.Ordinal)];

    private protected virtual string WriteModel(TemporaryFolder into) => PatchModel.Write(into.File("patches.onnx"));
}
