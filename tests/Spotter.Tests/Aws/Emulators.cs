using Amazon.Runtime;
using Spotter.Backends.S3;

namespace Spotter.Tests.Aws;

/// <summary>Tests that need fauxqs and dynalite.</summary>
public sealed class NeedsEmulatorsAttribute : NeedsAttribute
{
    public override string? Missing => NodeEmulators.Missing;
}

/// <summary>The services as fauxqs and dynalite play them.</summary>
public sealed class Emulators : IAsyncLifetime, IAwsServer
{
    public const string Name = "emulators";

    /// <summary>Why tests are left out of those that need keys, groups of jobs, files of jobs, or a job's way through the ledger.</summary>
    public const string NoTransactions = "dynalite has no transactions (TransactWriteItems)";

    private int buckets;

    public NodeEmulators Server { get; private set; } = null!;

    public Uri Address => Server.Address;

    /// <summary>A new bucket, and how to reach it.</summary>
    internal async Task<S3Settings> NewBucketAsync(string prefix)
    {
        var name = $"bucket-{Interlocked.Increment(ref buckets)}";
        await Server.MakeBucketAsync(name);
        return S3Settings.Parse($"s3://{name}/{prefix}", Address.ToString(), region: null) with { Credentials = new BasicAWSCredentials("testing", "testing") };
    }

    public async Task InitializeAsync()
    {
        if (NodeEmulators.Missing is null)
            Server = await NodeEmulators.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }
}

/// <summary>The classes that share the server.</summary>
[CollectionDefinition(Emulators.Name)]
public sealed class EmulatorTests : ICollectionFixture<Emulators>;
