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
    public void An_id_tells_its_time_and_lies_between_the_ids_of_times_around_it()
    {
        clock.Advance(TimeSpan.FromMilliseconds(12_345));
        var (now, id) = (clock.GetUtcNow(), JobId.New(RandomSource.System, clock));

        id.Time.ShouldBe(now);
        IsIn(now, now + TimeSpan.FromMilliseconds(1)).ShouldBeTrue();
        IsIn(now - TimeSpan.FromHours(1), now).ShouldBeFalse();
        IsIn(now + TimeSpan.FromMilliseconds(1), now + TimeSpan.FromHours(1)).ShouldBeFalse();
        JobId.Parse(new string('f', JobId.Length)).Time.Year.ShouldBe(9999);

        bool IsIn(DateTimeOffset from, DateTimeOffset before)
        {
            var (first, last) = JobId.RangeOf(from, before);
            return string.CompareOrdinal(first.Value, id.Value) <= 0 && string.CompareOrdinal(id.Value, last.Value) <= 0;
        }
    }

    [Fact]
    public void The_name_of_an_input_tells_the_job_that_is_named_after_it_and_no_other_name_does()
    {
        var input = BlobKey.NewInput(RandomSource.System, clock);

        BlobKey.IsValid(input).ShouldBeTrue();
        BlobKey.JobOf(input)!.Value.Value.ShouldBe(input[^JobId.Length..]);
        foreach (var other in (string[])[BlobKey.NewOutput(RandomSource.System, clock), "in/aa/odd", $"images/{input[^JobId.Length..]}", "in/" + new string('z', 35), input + "0", ""])
            BlobKey.JobOf(other).ShouldBeNull();
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
