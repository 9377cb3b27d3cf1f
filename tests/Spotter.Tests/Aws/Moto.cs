using Spotter.EndToEnd.Harness;

namespace Spotter.Tests.Aws;

/// <summary>Tests that need <c>moto_server</c>.</summary>
public sealed class NeedsMotoAttribute : NeedsAttribute
{
    public override string? Missing => MotoServer.Missing;
}

/// <summary>The services as moto plays them.</summary>
public sealed class Moto : IAsyncLifetime, IAwsServer
{
    public const string Name = "moto";

    public MotoServer Server { get; private set; } = null!;

    public Uri Address => Server.Address;

    public async Task InitializeAsync()
    {
        if (MotoServer.Missing is null)
            Server = await MotoServer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }
}

/// <summary>The classes that share the server.</summary>
[CollectionDefinition(Moto.Name)]
public sealed class MotoTests : ICollectionFixture<Moto>;
