using System.Diagnostics;
using Spotter.EndToEnd.Harness;

namespace Spotter.Tests.Aws;

/// <summary>SQS and S3 as fauxqs plays them, and DynamoDB as dynalite does, at one address: a second opinion beside moto's.</summary>
public sealed class NodeEmulators : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServerProcess process;

    private NodeEmulators(ServerProcess process) => this.process = process;

    /// <summary>Why tests that need them are skipped; null when they are there.</summary>
    public static string? Missing { get; } =
        Directory.Exists(Path.Combine(Folder, "node_modules")) ? null : "fauxqs and dynalite are not there: npm ci --ignore-scripts in tests/emulators";

    private static string Folder => Path.Combine(SharedFiles.Repository, "tests", "emulators");

    /// <summary>Where they listen.</summary>
    public Uri Address => process.Address;

    /// <summary>Starts them and waits until they listen.</summary>
    public static async Task<NodeEmulators> StartAsync() => new(await ServerProcess.StartAsync(new ProcessStartInfo("node", [Path.Combine(Folder, "emulators.mjs")])));

    /// <summary>Makes a bucket.</summary>
    public async Task MakeBucketAsync(string name)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = Patience };
        using var response = await client.PutAsync(new Uri($"/{name}", UriKind.Relative), content: null);
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => process.DisposeAsync();
}
