using Amazon.Runtime;
using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Backends.Local;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws;

/// <summary>One server for all tests of a collection that speaks as Amazon's do; each test has a table and queues of its own in it.</summary>
public interface IAwsServer
{
    /// <summary>Where it listens.</summary>
    Uri Address { get; }
}

/// <summary>A backend of the kind <c>aws</c> with a table of its own.</summary>
internal sealed class AwsFixture(IAwsServer server) : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<Backend> open = [];

    public string Name { get; } = "t" + RandomSource.System.NextHex(8);

    public AwsSettings Settings => new()
    {
        Table = Name, Queues = Name, Endpoint = server.Address, Region = "eu-central-1", Creates = true,
        Credentials = new BasicAWSCredentials("testing", "testing"),
    };

    /// <summary>Opens it; a second time beside the first is what another gateway does.</summary>
    public async Task<Backend> OpenAsync(TimeProvider clock, RetrySchedule? retries = null, RandomSource? random = null, bool creates = true)
    {
        var backend = await AwsBackend.OpenAsync(
            Settings with { Creates = creates }, new BlobPlace(new FolderBlobStore(folder.File("blobs"), RandomSource.System), "The folder"), retries ?? new RetrySchedule(), random ?? RandomSource.Seeded(1), clock);
        open.Add(backend);
        return backend;
    }

    public async ValueTask CloseAsync()
    {
        foreach (var backend in open)
            await backend.DisposeAsync();
        open.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        folder.Dispose();
    }
}
