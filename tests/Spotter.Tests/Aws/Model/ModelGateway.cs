using Amazon.Runtime;
using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws.Model;

/// <summary>One process with the real store, on the modelled services.</summary>
internal sealed class ModelGateway
{
    private static readonly AwsSettings Settings = new() { Creates = true, Region = "eu-central-1", Credentials = new AnonymousAWSCredentials() };

    private readonly ModelProcess process = new();
    private readonly ModelCloud cloud;
    private readonly DynamoJobStore store;

    public ModelGateway(ModelCloud cloud, ModelTable table, ModelQueues queues, RetrySchedule retries, RandomSource random)
    {
        this.cloud = cloud;
        var (pace, faults) = (new Pace(cloud.Clock, OneThread.StartAsync, random), new AwsFaults(Settings));
        var items = new DynamoTable(new ModelDynamo(cloud, table, process), faults, Settings.Table, pace);
        store = new DynamoJobStore(
            items, new SqsQueues(new ModelSqs(cloud, queues, process), faults, Settings, pace), faults, new DynamoOutbox(items, cloud.Clock), retries, random, cloud.Clock, pace);
    }

    public bool IsDead => process.IsDead;

    public Task Death => process.Death;

    public void Kill() => process.Kill();

    /// <summary>Starts as the service does: remembers, and listens to what changes, without which it polls for nothing.</summary>
    public async Task StartAsync()
    {
        while (!(await AskAsync(async store =>
        {
            await ((DynamoJobStore)store).RememberAsync(default);
            return true;
        })).IsAnswered && !IsDead)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cloud.Clock);
        }
        OneThread.Outside(() => _ = ListenAsync());
    }

    /// <summary>Nothing comes of what it hears, so it may do so on another thread.</summary>
    private async Task ListenAsync()
    {
        await foreach (var _ in store.ChangesAsync(default).ConfigureAwait(false))
        {
            if (IsDead)
                break;
        }
    }

    /// <summary>Asks the store something; no answer when it fails, or is killed before it has one.</summary>
    public async Task<(bool IsAnswered, T? Answer)> AskAsync<T>(Func<IJobStore, Task<T>> question)
    {
        try
        {
            var answer = question(store);
            await Task.WhenAny(answer, process.Death);
            return answer.IsCompleted ? (true, await answer) : default;
        }
        catch (SpotterException refused) when (refused.Code != ErrorCodes.Internal)
        {
            return default;
        }
        catch (Exception broken)
        {
            cloud.Oracle.Violated($"a call ended with {broken.GetType().Name}: {broken.Message} {broken.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Spotter", StringComparison.Ordinal))}");
            return default;
        }
    }
}
