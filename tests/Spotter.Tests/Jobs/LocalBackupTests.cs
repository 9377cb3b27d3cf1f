using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;
using System.Text;

namespace Spotter.Tests.Jobs;

public sealed class LocalBackupTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly Backend backend;

    public LocalBackupTests() => backend = Open(Data);

    private string Data => folder.File("data");

    private string Copy => folder.File("copy");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await backend.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_copy_that_is_made_while_jobs_come_in_has_all_that_were_accepted_before_and_their_pictures()
    {
        var before = new List<Job>();
        for (var i = 0; i < 50; i++)
            before.Add(await AcceptAsync($"picture {i}"));
        await FinishOneAsync();
        await File.WriteAllTextAsync(Path.Combine(Data, "keys.json"), "[]");
        using var enough = new CancellationTokenSource();
        var more = KeepAcceptingAsync(enough.Token);

        var size = LocalBackup.Make(Data, Copy, default);

        await enough.CancelAsync();
        await more;
        size.Jobs.ShouldBeGreaterThanOrEqualTo(50);
        await using var restored = Open(Copy);
        foreach (var job in before)
        {
            var row = (await restored.Jobs.FindAsync(job.Id, default))!;
            row.Spec.Inputs[0].Key.ShouldBe(job.Spec.Inputs[0].Key);
        }
        var all = await restored.Jobs.ListAsync(new JobFilter { Limit = 10_000 }, default);
        all.Count.ShouldBe((int)size.Jobs);
        all.Count(j => j.State == JobState.Succeeded).ShouldBe(1);
        foreach (var job in all)
        {
            await using var picture = await restored.Blobs.OpenAsync(job.Spec.Inputs[0].Key, default);
            new StreamReader(picture!).ReadToEnd().ShouldStartWith("picture ");
        }
        File.ReadAllText(Path.Combine(Copy, "keys.json")).ShouldBe("[]");
        restored.StoreId.ShouldBe(backend.StoreId);
    }

    [Fact]
    public async Task What_was_copied_is_its_owners_alone_and_leaves_out_what_is_about_the_process()
    {
        await AcceptAsync("picture");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Directory.EnumerateFiles(Path.Combine(Data, "blobs"), "*", SearchOption.AllDirectories).First(), (UnixFileMode)0b110_100_100);

        LocalBackup.Make(Data, Copy, default);

        var names = Directory.EnumerateFileSystemEntries(Copy).Select(Path.GetFileName).ToList();
        names.ShouldContain(name => name == "spotter.db");
        names.ShouldNotContain(name => name == "lock" || name == "owner" || name == "spotter.db-wal");
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Directory.EnumerateFiles(Copy, "*", SearchOption.AllDirectories))
            (File.GetUnixFileMode(file) & (UnixFileMode)0b000_111_111).ShouldBe(UnixFileMode.None, file);
    }

    [Fact]
    public void A_folder_with_something_in_it_is_left_as_it_is()
    {
        Directory.CreateDirectory(Copy);
        File.WriteAllText(Path.Combine(Copy, "mine"), "x");

        Should.Throw<SpotterException>(() => LocalBackup.Make(Data, Copy, default)).Message.ShouldContain("has something in it already");

        Directory.EnumerateFileSystemEntries(Copy).Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("blobs/backup")]
    public void A_copy_within_the_data_folder_is_refused(string below) =>
        Should.Throw<SpotterException>(() => LocalBackup.Make(Data, Path.Combine(Data, below), default)).Message.ShouldContain("in the data folder itself");

    [LinuxFact]
    public void A_copy_within_the_data_folder_is_refused_by_whatever_link_it_is_named()
    {
        File.CreateSymbolicLink(folder.File("link"), Data);

        Should.Throw<SpotterException>(() => LocalBackup.Make(Data, Path.Combine(folder.File("link"), "inside"), default)).Message.ShouldContain("in the data folder itself");
        Should.Throw<SpotterException>(() => LocalBackup.Make(folder.File("link"), Path.Combine(Data, "inside"), default)).Message.ShouldContain("in the data folder itself");

        Directory.Exists(Path.Combine(Data, "inside")).ShouldBeFalse();
    }

    [LinuxFact]
    public void A_folder_that_lies_on_another_disk_is_copied_too()
    {
        Directory.CreateDirectory(folder.File("elsewhere"));
        File.WriteAllText(Path.Combine(folder.File("elsewhere"), "tiny.onnx"), "model");
        File.CreateSymbolicLink(Path.Combine(Data, "models"), folder.File("elsewhere"));

        LocalBackup.Make(Data, Copy, default);

        File.ReadAllText(Path.Combine(Copy, "models", "tiny.onnx")).ShouldBe("model");
        new DirectoryInfo(Path.Combine(Copy, "models")).LinkTarget.ShouldBeNull();
    }

    [Fact]
    public void A_copy_does_not_say_where_a_service_listens()
    {
        File.WriteAllText(Path.Combine(Data, "address"), "http://127.0.0.1:8080");
        Directory.CreateDirectory(Path.Combine(Data, "scratch"));

        LocalBackup.Make(Data, Copy, default);

        File.Exists(Path.Combine(Copy, "address")).ShouldBeFalse();
        Directory.Exists(Path.Combine(Copy, "scratch")).ShouldBeFalse();
    }

    [Fact]
    public void Where_there_is_no_job_store_nothing_is_made()
    {
        Should.Throw<SpotterException>(() => LocalBackup.Make(folder.File("nothing"), Copy, default)).Code.ShouldBe(ErrorCodes.NotFound);

        Directory.Exists(Copy).ShouldBeFalse();
    }

    private static Backend Open(string data) =>
        BackendFactory.Open(GivenSettings.Reader(), data, new RetrySchedule(), RandomSource.System, TimeProvider.System);

    private async Task KeepAcceptingAsync(CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
            await AcceptAsync($"picture later {i}");
    }

    private async Task<Job> AcceptAsync(string picture)
    {
        var job = SampleJobs.New();
        await backend.Blobs.PutAsync(job.Spec.Inputs[0].Key, new MemoryStream(Encoding.UTF8.GetBytes(picture)), default);
        return (await backend.Jobs.AddAsync([job], default))[0].Job;
    }

    private async Task FinishOneAsync()
    {
        var taken = await backend.Jobs.TakeAsync(new([SampleJobs.Detect], [JobPriority.Normal], ["w"], TimeSpan.FromMinutes(1)), default);
        (await backend.Jobs.FinishAsync(taken.Jobs[0].Lease, SampleJobs.Done(), default)).ShouldNotBeNull();
    }
}
