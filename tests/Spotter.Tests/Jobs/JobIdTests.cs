using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

public sealed class JobIdTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void An_id_is_a_uuid_that_begins_with_its_time()
    {
        clock.Advance(TimeSpan.FromMilliseconds(12_345));

        var id = JobId.New(RandomSource.System, clock).Value;

        var uuid = Guid.ParseExact(id, "N");
        (uuid.Version, uuid.Variant & 0xc).ShouldBe((7, 8));
        Convert.ToInt64(id[..12], 16).ShouldBe(clock.GetUtcNow().ToUnixTimeMilliseconds());
    }

    [Fact]
    public void Later_ids_come_after_earlier_ones()
    {
        var ids = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            ids.Add(JobId.New(RandomSource.System, clock).Value);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        ids.ShouldBe(ids.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ids_of_one_moment_differ_in_all_that_is_random()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => JobId.New(RandomSource.System, clock).Value).ToList();

        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(ids.Count);
        // The digits after the time but for the version, and the variant's two bits.
        foreach (var digit in Enumerable.Range(13, 3).Concat(Enumerable.Range(17, 15)))
            ids.Select(id => id[digit]).Distinct().Count().ShouldBe(16);
    }
}
