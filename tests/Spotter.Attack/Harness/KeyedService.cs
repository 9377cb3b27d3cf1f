using System.Net.Http.Headers;

namespace Spotter.Attack.Harness;

/// <summary>A service with keys of two tenants, an operator, and a worker token that is known to the tests.</summary>
public sealed class KeyedService : IAsyncLifetime
{
    public const string WorkerToken = "0123456789abcdef0123456789abcdef";

    private readonly TemporaryFolder folder = new();

    public SpotterProcess Process { get; private set; } = null!;

    public string Data => folder.File("data");

    /// <summary>The keys by what they may: submit, read, both, operate; and that of another tenant.</summary>
    public IReadOnlyDictionary<string, string> Keys { get; private set; } = null!;

    public SpotterApi Red { get; private set; } = null!;

    public SpotterApi Blue { get; private set; } = null!;

    public static Task<SpotterProcess> StartAsync(string data, string model) => SpotterProcess.StartAsync(
        data, model, ["--max-workers", "1", "--lanes", "2", "--client-rate", "100000"], new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WORKER__TOKEN"] = WorkerToken });

    public static async Task<string> AddKeyAsync(string data, string name, string tenant, string scopes)
    {
        var made = await SpotterProgram.RunAsync("keys", "add", name, "--tenant", tenant, "--scopes", scopes, "--data", data);
        made.Status.ShouldBe(0, made.Errors);
        return made.Output.Trim();
    }

    public async Task InitializeAsync()
    {
        Keys = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["submit"] = await AddKeyAsync(Data, "submits", "red", "submit"),
            ["read"] = await AddKeyAsync(Data, "reads", "red", "read"),
            ["both"] = await AddKeyAsync(Data, "both", "red", "submit,read"),
            ["operate"] = await AddKeyAsync(Data, "ops", "*", "submit,read,operate"),
            ["other"] = await AddKeyAsync(Data, "other", "blue", "submit,read"),
        };
        Process = await StartAsync(Data, PatchModel.Write(folder.File("patches.onnx")));
        Red = new SpotterApi(Process.Address, Keys["both"]);
        Blue = new SpotterApi(Process.Address, Keys["other"]);
    }

    public async Task DisposeAsync()
    {
        Red?.Dispose();
        Blue?.Dispose();
        if (Process is not null)
            await Process.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>A request that shows a key or token; null for none.</summary>
    public static HttpRequestMessage Request(string method, string path, string? shown, string? json = null)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = json is null ? null : new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
        if (shown is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shown);
        return request;
    }
}
