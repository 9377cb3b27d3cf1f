using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

public sealed class BlobKeyTests
{
    private readonly ManualClock clock = new();
    private readonly RandomSource random = RandomSource.Seeded(1);

    [Fact]
    public void What_is_named_in_the_same_moment_shares_a_folder()
    {
        var folders = Enumerable.Range(0, 100).Select(_ => FolderOf(BlobKey.NewInput(random, clock))).ToList();

        folders.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem().Length.ShouldBe(2);
    }

    [Fact]
    public void Over_time_each_folder_gets_as_much()
    {
        var folders = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var second = 0; second < 4 * 1048; second++, clock.Advance(TimeSpan.FromSeconds(1)))
            folders[FolderOf(BlobKey.NewInput(random, clock))] = folders.GetValueOrDefault(FolderOf(BlobKey.NewInput(random, clock))) + 1;

        folders.Count.ShouldBe(256);
        folders.Values.ShouldAllBe(times => times >= 12 && times <= 20);
    }

    [Fact]
    public void The_job_of_an_input_is_known_by_its_key()
    {
        var key = BlobKey.NewInput(random, clock);

        BlobKey.IsValid(key).ShouldBeTrue();
        BlobKey.JobOf(key)!.Value.Value.ShouldBe(key[(key.LastIndexOf('/') + 1)..]);
        BlobKey.JobOf(BlobKey.NewOutput(random, clock)).ShouldBeNull();
    }

    private static string FolderOf(string key) => key.Split('/')[1];
}
