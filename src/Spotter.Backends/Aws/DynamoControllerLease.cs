using Amazon.DynamoDBv2.Model;
using Spotter.Scaling;

namespace Spotter.Backends.Aws;

/// <summary>One item for each pool, which whoever holds its lease writes anew again and again.</summary>
internal sealed class DynamoControllerLease(DynamoTable table, TimeProvider clock) : IControllerLease
{
    private const int MostTries = 5;

    // Each time costs money, day and night. After a crash the workers stay as they are for up to four times this.
    public TimeSpan Pace => TimeSpan.FromSeconds(20);

    public async Task<string> HoldAsync(string pool, string holder, TimeSpan duration, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            var now = clock.GetUtcNow();
            var item = KeyOf(pool).ToItem();
            item["holder"] = Value.Of(holder);
            item["ends"] = Value.Of(now + duration);
            var values = new Dictionary<string, AttributeValue>(StringComparer.Ordinal) { [":holder"] = Value.Of(holder), [":now"] = Value.Of(now) };
            if (await table.PutIfAsync(item, "attribute_not_exists(pk) OR holder = :holder OR ends <= :now", values, cancel))
                return holder;
            if (await table.GetAsync(KeyOf(pool), cancel) is { } other && (other.Time("ends") > now || tries == MostTries))
                return other["holder"].S;
        }
    }

    public Task ReleaseAsync(string pool, string holder, CancellationToken cancel) =>
        table.DeleteIfAsync(KeyOf(pool), "holder = :holder", new(StringComparer.Ordinal) { [":holder"] = Value.Of(holder) }, cancel);

    private static ItemKey KeyOf(string pool) => new($"controller#{pool}", "lease");
}
