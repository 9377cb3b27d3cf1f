using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>Jobs in a DynamoDB table and messages about them in SQS, for any number of gateways; the pictures are kept elsewhere.</summary>
internal sealed class AwsBackend : IBackendModule
{
    private static readonly Setting<string> Table = new("aws.table", "The DynamoDB table.", SettingValues.Text("NAME"), AwsSettings.DefaultName) { Flag = "--aws-table" };

    private static readonly Setting<string> Queues = new("aws.queues", "What the names of all SQS queues begin with.", SettingValues.Text("NAME"), AwsSettings.DefaultName) { Flag = "--aws-queues" };

    private static readonly Setting<string?> Region = new(
        "aws.region", "The region. Default: what the environment, the profile or the machine says.", SettingValues.OptionalText("REGION"), null) { Flag = "--aws-region" };

    private static readonly Setting<string?> Endpoint = new(
        "aws.endpoint", "A server that speaks as Amazon's do, for tests. Default: Amazon's.", SettingValues.HttpAddress, null) { Flag = "--aws-endpoint" };

    private static readonly Setting<bool> Creates = new(
        "aws.create", "Makes the table and the queues where they are missing.", SettingValues.YesNo, false) { Flag = "--aws-create", FlagText = "true" };

    public string Name => "aws";

    public string Help => "in DynamoDB and SQS, for any number of gateways";

    public IReadOnlyList<Setting> Settings { get; } = [Table, Queues, Region, Endpoint, Creates];

    public void Check(SettingReader settings)
    {
        if (!settings.Has(BackendSettings.Blobs))
            settings.Mistake("Several gateways may share the backend 'aws', so its pictures belong where all of them reach them; name the bucket with --blobs s3://BUCKET.");
    }

    public async Task<IReadOnlyList<Probed>> ProbeAsync(SettingReader settings, IReadOnlyCollection<string> queues)
    {
        var read = Read(settings);
        using var clients = new AwsClients(read);
        return await new AwsProbe(clients, read).RunAsync(queues);
    }

    // The host builds its services in one go, with nothing to wait on; nothing else runs yet that this could block.
    public Backend Open(BackendContext context) => OpenAsync(Read(context.Settings), context.Pictures, context.Retries, context.Random, context.Clock).GetAwaiter().GetResult();

    /// <summary>Reaches the table, and makes it where that is asked for.</summary>
    /// <param name="settings">Which table and queues.</param>
    /// <param name="place">The pictures; closed with the backend.</param>
    /// <param name="retries">When a job is tried again.</param>
    /// <param name="random">Spreads retries.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static async Task<Backend> OpenAsync(AwsSettings settings, BlobPlace place, RetrySchedule retries, RandomSource random, TimeProvider clock)
    {
        var clients = new AwsClients(settings);
        try
        {
            if (settings.Creates)
                await CreateTableAsync(clients, settings);
            var table = new DynamoTable(clients.Dynamo, clients.Faults, settings.Table, Pace.Real);
            var storeId = await StoreIdAsync(table);
            var queues = new SqsQueues(clients.Sqs, clients.Faults, settings, Pace.Real);
            var outbox = new DynamoOutbox(table, clock);
            var store = new DynamoJobStore(table, queues, clients.Faults, outbox, retries, random, clock, Pace.Real);
            await store.RememberAsync(CancellationToken.None);
            // Nothing of it is in this process: there is no failure to end it for.
            return new Backend(store, storeId, place, outbox, new TaskCompletionSource<Exception>().Task, async () =>
            {
                await store.DisposeAsync();
                clients.Dispose();
            })
            {
                IsShared = true,
                Controllers = new DynamoControllerLease(table, clock),
                Inbox = new DynamoInbox(table, clock),
                Models = new DynamoModelRegistry(table, clock),
            };
        }
        catch
        {
            clients.Dispose();
            throw;
        }
    }

    private static AwsSettings Read(SettingReader settings) => new()
    {
        Table = settings.Get(Table), Queues = settings.Get(Queues), Region = settings.Get(Region), Creates = settings.Get(Creates),
        Endpoint = settings.Get(Endpoint) is { } endpoint ? new Uri(endpoint) : null,
    };

    private static async Task CreateTableAsync(AwsClients clients, AwsSettings settings)
    {
        try
        {
            await clients.Faults.CallAsync(() => clients.Dynamo.CreateTableAsync(AwsSchema.TableOf(settings.Table)), CancellationToken.None);
        }
        catch (SpotterException there) when (there.InnerException is ResourceInUseException)
        {
            // It is there.
        }
        while ((await clients.Faults.CallAsync(() => clients.Dynamo.DescribeTableAsync(settings.Table), CancellationToken.None)).Table.TableStatus != TableStatus.ACTIVE)
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
    }

    private static async Task<string> StoreIdAsync(DynamoTable table)
    {
        var key = new ItemKey("store", "id");
        var item = key.ToItem();
        item["id"] = Value.Of(RandomSource.System.NextHex(16));
        return await table.PutIfAsync(item, "attribute_not_exists(pk)", null, CancellationToken.None) ? item["id"].S : (await table.GetAsync(key, CancellationToken.None))!["id"].S;
    }
}
