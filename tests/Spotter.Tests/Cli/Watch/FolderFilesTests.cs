using Spotter.Cli.Watch;

namespace Spotter.Tests.Cli.Watch;

public sealed class FolderFilesTests : IDisposable
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder folder = new();
    private readonly FolderFiles files = new(Settle, takesExisting: false);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_there_already_is_left_unless_it_is_wanted()
    {
        Look(0, ("old.jpg", 5)).ShouldBeEmpty();
        Look(9, ("old.jpg", 5)).ShouldBeEmpty();
        files.HasUnsettled.ShouldBeFalse();

        var all = new FolderFiles(Settle, takesExisting: true);
        all.Look([File("old.jpg", 5)], TimeSpan.Zero).ShouldBeEmpty();
        all.Look([File("old.jpg", 5)], Settle).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_new_file_is_taken_once_and_when_it_has_stopped_growing()
    {
        Look(0);

        Look(1, ("a.jpg", 5)).ShouldBeEmpty();
        files.HasUnsettled.ShouldBeTrue();
        Look(1.9, ("a.jpg", 5)).ShouldBeEmpty();
        Look(1.95, ("a.jpg", 6)).ShouldBeEmpty();
        Look(2.9, ("a.jpg", 6)).ShouldBeEmpty();
        Look(2.95, ("a.jpg", 6)).ShouldBe(["a.jpg"]);
        Look(9, ("a.jpg", 6)).ShouldBeEmpty();
        files.HasUnsettled.ShouldBeFalse();
    }

    [Fact]
    public void An_empty_file_is_not_finished()
    {
        Look(0);

        Look(1, ("a.jpg", 0)).ShouldBeEmpty();
        Look(9, ("a.jpg", 0)).ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_is_renamed_into_its_name_need_not_settle()
    {
        Look(0);
        files.Complete("a.jpg");

        Look(1, ("a.jpg", 5), ("b.jpg", 5)).ShouldBe(["a.jpg"]);
    }

    [Fact]
    public void A_file_that_changes_later_or_comes_again_is_a_new_one()
    {
        Look(0, ("snapshot.jpg", 5));

        Look(1, ("snapshot.jpg", 6)).ShouldBeEmpty();
        Look(2, ("snapshot.jpg", 6)).ShouldBe(["snapshot.jpg"]);
        Look(3);
        Look(4, ("snapshot.jpg", 6)).ShouldBeEmpty();
        Look(5, ("snapshot.jpg", 6)).ShouldBe(["snapshot.jpg"]);
    }

    [Fact]
    public void The_oldest_comes_first()
    {
        Look(0);
        SeenFile[] seen = [File("a.jpg", 5, day: 3), File("b.jpg", 5, day: 1), File("c.jpg", 5, day: 2)];
        files.Look(seen, TimeSpan.Zero);

        files.Look(seen, Settle).Select(f => f.Path).ShouldBe(["b.jpg", "c.jpg", "a.jpg"]);
    }

    [Fact]
    public void Pictures_are_found_below_the_folder_and_hidden_or_partial_ones_are_not()
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, "cam/2026"));
        Directory.CreateDirectory(Path.Combine(folder.Path, ".trash"));
        foreach (var name in (string[])["a.jpg", "cam/2026/b.PNG", ".hidden.jpg", ".trash/c.jpg", "d.jpg.part", "e.tmp", "f.txt"])
            System.IO.File.WriteAllText(Path.Combine(folder.Path, name), "x");

        FolderSource.PicturesIn(folder.Path).Select(f => Path.GetRelativePath(folder.Path, f.Path)).ShouldBe(["a.jpg", "cam/2026/b.PNG"]);
        Should.Throw<IOException>(() => FolderSource.PicturesIn(Path.Combine(folder.Path, "gone")).ToList());
    }

    private IEnumerable<string> Look(double seconds, params (string Name, long Length)[] seen) =>
        files.Look(seen.Select(f => File(f.Name, f.Length)), TimeSpan.FromSeconds(seconds)).Select(f => f.Path).ToList();

    private static SeenFile File(string path, long length, int day = 1) => new(path, length, new DateTime(2026, 1, day, 0, 0, 0, DateTimeKind.Utc));
}
