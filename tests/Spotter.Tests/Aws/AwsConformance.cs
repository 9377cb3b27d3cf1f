using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Tests.Fleets;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Aws;

public abstract class AwsJobStoreConformance(IAwsServer server) : JobStoreConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override async Task<IJobStore> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random) =>
        (await fixture.OpenAsync(clock, retries, random)).Jobs;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public abstract class AwsJobServiceConformance(IAwsServer server) : JobServiceConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override int CheckEvery => 20;

    protected override async Task<(IJobStore Jobs, IBlobStore Blobs)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = await fixture.OpenAsync(clock, retries, random);
        return (backend.Jobs, backend.Blobs);
    }

    protected override async Task CloseAsync() => await fixture.CloseAsync();

    protected override async Task DeleteAsync() => await fixture.DisposeAsync();
}

public abstract class AwsOutboxConformance(IAwsServer server) : OutboxConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override async Task<(IJobStore Jobs, IOutbox Outbox)> OpenAsync(TimeProvider clock, RetrySchedule retries, RandomSource random)
    {
        var backend = await fixture.OpenAsync(clock, retries, random);
        return (backend.Jobs, backend.Outbox);
    }

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public abstract class AwsInboxConformance(IAwsServer server) : InboxConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override async Task<IInbox> OpenAsync(TimeProvider clock) => (await fixture.OpenAsync(clock)).Inbox;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public abstract class AwsControllerLeaseConformance(IAwsServer server) : ControllerLeaseConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override async Task<IControllerLease> OpenAsync() => (await fixture.OpenAsync(Clock)).Controllers;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}

public abstract class AwsModelRegistryConformance(IAwsServer server) : ModelRegistryConformance
{
    private readonly AwsFixture fixture = new(server);

    protected override async Task<IModelRegistry> OpenAsync() => (await fixture.OpenAsync(Clock)).Models;

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
