using System.Text.Json;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>One item for each gateway, which it writes anew again and again; items that nobody writes any more are deleted.</summary>
internal sealed class DynamoModelRegistry(DynamoTable table, TimeProvider clock) : IModelRegistry
{
    private const string Partition = "gateways";

    // Each time costs money, day and night.
    public TimeSpan Pace => TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    public async Task<IReadOnlyList<ModelInfo>> ShareAsync(string gateway, IReadOnlyList<ModelInfo> models, TimeSpan duration, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var item = new ItemKey(Partition, gateway).ToItem();
        item["models"] = Value.Of(JsonSerializer.Serialize(models, SpotterJson.Default.IReadOnlyListModelInfo));
        item["said"] = Value.Of(now);
        item["until"] = Value.Of(now + duration);
        await table.PutAsync(item, cancel);
        var all = (await table.QueryAsync(new ItemQuery(Partition), cancel)).Where(i => i["sk"].S != gateway).ToList();
        await table.WriteAllAsync([], all.Where(i => i.Time("until") < now - Forgotten).Select(i => ItemKey.Of(i)), cancel);
        return [.. all.Where(i => i.Time("until") > now).OrderByDescending(i => i.Time("said")).SelectMany(i => Read(i["models"].S)).DistinctBy(m => m.Id, StringComparer.Ordinal)];
    }

    public Task WithdrawAsync(string gateway, CancellationToken cancel) => table.DeleteIfAsync(new ItemKey(Partition, gateway), null, null, cancel);

    private static IEnumerable<ModelInfo> Read(string models) => JsonSerializer.Deserialize(models, SpotterJson.Default.IReadOnlyListModelInfo) ?? [];
}
