using Spotter.Worker;

namespace Spotter.Tests.Worker;

public sealed class ScratchFolderTests : IDisposable
{
    private readonly TemporaryFolder place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public void What_a_killed_worker_left_goes_when_the_next_one_starts_and_nothing_else()
    {
        using var living = new ScratchFolder(place.Path);
        var held = Write(living.NewFolder());
        // As a killed worker leaves it: the lock is nobody's.
        var orphan = Directory.CreateDirectory(place.File("spotter-worker-gone"));
        File.WriteAllText(Path.Combine(orphan.FullName, "video"), "");
        File.WriteAllText(place.File("spotter-worker-gone.lock"), "");
        var other = Directory.CreateDirectory(place.File("somebody-elses"));

        using var next = new ScratchFolder(place.Path);

        File.Exists(held).ShouldBeTrue();
        Directory.Exists(other.FullName).ShouldBeTrue();
        Directory.Exists(orphan.FullName).ShouldBeFalse();
        File.Exists(place.File("spotter-worker-gone.lock")).ShouldBeFalse();
    }

    [Fact]
    public void A_jobs_files_go_with_its_folder_and_the_rest_with_the_worker()
    {
        using (var scratch = new ScratchFolder(place.Path))
        {
            Directory.GetFileSystemEntries(place.Path).ShouldBeEmpty("nothing is made before it is needed");
            var (first, second) = (scratch.NewFolder(), scratch.NewFolder());
            var (one, two) = (Write(first), Write(second));
            first.Dispose();
            File.Exists(one).ShouldBeFalse();
            File.Exists(two).ShouldBeTrue();
        }

        Directory.GetFileSystemEntries(place.Path).ShouldBeEmpty();
    }

    private static string Write(JobFolder folder)
    {
        var path = folder.NewFile();
        File.WriteAllText(path, "content");
        return path;
    }
}
