using Spotter.Backends;
using Spotter.Backends.Local;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Images;

/// <summary>A place for blobs belongs to one job store: no other one may delete what lies there.</summary>
public sealed class OwnedBlobStoreTests : IDisposable
{
    private const string WhatToDo =
        "name an empty place with --blobs, use the data folder or database that it belongs to, or, if its pictures may go, take it over with --adopt-blobs.";

    private readonly TemporaryFolder folder = new();

    private string Place => folder.File("pictures");

    private string Marker => Path.Combine(Place, OwnedBlobStore.MarkerKey);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_fresh_job_store_is_refused_the_place_of_another_and_deletes_nothing()
    {
        var (_, picture) = await LeavePictureAsync("old");
        await using var fresh = Open("fresh");

        var refusal = await Should.ThrowAsync<SpotterException>(() => fresh.CheckBlobsAsync(default));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldBe($"The folder {Place} belongs to another job store, whose pictures this one would delete; {WhatToDo}");
        await ShouldKeepEverythingAsync(fresh, picture);
    }

    [Fact]
    public async Task A_fresh_job_store_is_refused_pictures_from_before_places_were_marked_and_deletes_nothing()
    {
        var (_, picture) = await LeavePictureAsync("old");
        File.Delete(Marker);
        await using var fresh = Open("fresh");

        var refusal = await Should.ThrowAsync<SpotterException>(() => fresh.CheckBlobsAsync(default));

        refusal.Message.ShouldBe($"The folder {Place} holds pictures that this job store knows nothing of and would delete; {WhatToDo}");
        File.Exists(Marker).ShouldBeFalse();
        await ShouldKeepEverythingAsync(fresh, picture);
    }

    [Fact]
    public async Task A_job_store_whose_jobs_speak_of_the_pictures_marks_the_place()
    {
        var (id, _) = await LeavePictureAsync("old");
        File.Delete(Marker);
        await using var old = Open("old");

        (await old.CheckBlobsAsync(default)).ShouldBeNull();

        (await File.ReadAllTextAsync(Marker)).ShouldBe(id + "\n");
        old.StoreId.ShouldBe(id);
    }

    [Fact]
    public async Task The_folder_for_pictures_in_the_data_folder_is_its_own_whatever_lies_there_unmarked()
    {
        var orphan = folder.File("old/blobs/in/ab/orphan");
        Directory.CreateDirectory(Path.GetDirectoryName(orphan)!);
        await File.WriteAllBytesAsync(orphan, [1]);
        await using var backend = OpenInside("old");

        (await backend.CheckBlobsAsync(default)).ShouldBeNull();

        (await File.ReadAllTextAsync(folder.File("old/blobs/" + OwnedBlobStore.MarkerKey))).ShouldBe(backend.StoreId + "\n");
        (await MaintenanceOf(backend).RunOnceAsync(default)).Orphans.ShouldBe(1);
        File.Exists(orphan).ShouldBeFalse();
    }

    [Fact]
    public async Task Not_even_in_the_data_folder_are_marked_pictures_of_another_job_store_taken()
    {
        Directory.CreateDirectory(folder.File("old/blobs"));
        await File.WriteAllTextAsync(folder.File("old/blobs/" + OwnedBlobStore.MarkerKey), "another\n");
        await using var backend = OpenInside("old");

        (await Should.ThrowAsync<SpotterException>(() => backend.CheckBlobsAsync(default))).Message.ShouldContain("belongs to another job store");
    }

    [Fact]
    public async Task A_place_is_taken_over_when_that_is_asked_for_and_then_the_other_one_is_refused()
    {
        var (_, picture) = await LeavePictureAsync("old");
        await using var old = Open("old");
        (await old.CheckBlobsAsync(default)).ShouldBeNull();

        await using (var heir = Open("heir", adopt: true))
        {
            (await heir.CheckBlobsAsync(default)).ShouldBeNull();
            await ShouldKeepEverythingAsync(old, picture);
            (await MaintenanceOf(heir).RunOnceAsync(default)).Orphans.ShouldBe(1);
        }
        await using var again = Open("heir");
        (await again.CheckBlobsAsync(default)).ShouldBeNull();
        (await Should.ThrowAsync<SpotterException>(() => PutAsync(old, "in/ab/abd"))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }

    [Fact]
    public async Task A_job_store_keeps_its_id_and_no_other_has_it()
    {
        string id;
        await using (var first = Open("first"))
            id = first.StoreId;
        await using var again = Open("first");
        await using var other = Open("other");

        id.Length.ShouldBe(32);
        again.StoreId.ShouldBe(id);
        other.StoreId.ShouldNotBe(id, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_marker_that_somebody_deleted_is_written_again_whatever_else_lies_there()
    {
        await using var backend = Open("own");
        await PutAsync(backend, "in/ab/not-a-job-yet");
        File.Delete(Marker);

        (await KeysAsync(backend)).ShouldBe(["in/ab/not-a-job-yet"]);

        (await File.ReadAllTextAsync(Marker)).ShouldBe(backend.StoreId + "\n");
    }

    [Fact]
    public async Task The_marker_is_no_orphan()
    {
        await using var backend = Open("own");
        await PutAsync(backend, "in/ab/orphan");

        (await MaintenanceOf(backend).RunOnceAsync(default)).Orphans.ShouldBe(1);

        File.Exists(Marker).ShouldBeTrue();
    }

    [Fact]
    public async Task While_a_place_does_not_answer_nothing_is_stored_or_deleted_and_then_it_is_looked_at()
    {
        var (_, picture) = await LeavePictureAsync("old");
        File.Delete(Marker);
        await using var fresh = Open("fresh");
        using var inner = new FolderBlobStore(Place, RandomSource.System);
        var away = new AwayBlobStore(inner) { IsAway = true };
        var blobs = new OwnedBlobStore(new BlobPlace(away, "The bucket"), fresh.StoreId, fresh.Jobs);

        (await blobs.CheckAsync(default)).ShouldBe("It is away.");
        (await Should.ThrowAsync<SpotterException>(() => blobs.PutAsync("in/ab/abc", new MemoryStream([1]), default))).Message.ShouldBe("It is away.");
        away.IsAway = false;

        // What was stored in between would have made the place look like this job store's own.
        var refusal = await Should.ThrowAsync<SpotterException>(() => blobs.PutAsync("in/ab/abc", new MemoryStream([1]), default));
        refusal.Message.ShouldStartWith("The bucket holds pictures that this job store knows nothing of");
        await Should.ThrowAsync<SpotterException>(() => blobs.OpenAsync(picture, default));
        await Should.ThrowAsync<SpotterException>(() => blobs.DeleteAsync(picture, default));
        await Should.ThrowAsync<SpotterException>(() => blobs.DeleteUnfinishedAsync(DateTimeOffset.MaxValue, default));
        File.Exists(Path.Combine(Place, picture)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_place_that_answers_late_is_used_from_then_on()
    {
        await using var fresh = Open("fresh");
        using var inner = new FolderBlobStore(Place, RandomSource.System);
        var away = new AwayBlobStore(inner) { IsAway = true };
        var blobs = new OwnedBlobStore(new BlobPlace(away, "The bucket"), fresh.StoreId, fresh.Jobs);
        (await blobs.CheckAsync(default)).ShouldBe("It is away.");

        away.IsAway = false;
        await blobs.PutAsync("in/ab/abc", new MemoryStream([1]), default);

        (await File.ReadAllTextAsync(Marker)).ShouldBe(fresh.StoreId + "\n");
    }

    /// <summary>What a service does that stores one picture and ends.</summary>
    private async Task<(string StoreId, string Picture)> LeavePictureAsync(string data)
    {
        await using var backend = Open(data);
        (await backend.CheckBlobsAsync(default)).ShouldBeNull();
        var job = SampleJobs.New();
        var key = job.Spec.Inputs[0].Key;
        await PutAsync(backend, key);
        await backend.Jobs.AddAsync([job], default);
        return (backend.StoreId, key);
    }

    private async Task ShouldKeepEverythingAsync(Backend backend, string picture)
    {
        (await Should.ThrowAsync<AggregateException>(() => MaintenanceOf(backend).RunOnceAsync(default)))
            .InnerExceptions.ShouldHaveSingleItem().Message.ShouldEndWith(WhatToDo);
        File.Exists(Path.Combine(Place, picture)).ShouldBeTrue();
    }

    /// <summary>Finds everything old enough to be an orphan.</summary>
    private static Maintenance MaintenanceOf(Backend backend) =>
        new(backend.Jobs, backend.Blobs, new LeaseSettings { OrphanAge = TimeSpan.FromHours(-1) }, TimeProvider.System);

    private static Task PutAsync(Backend backend, string key) => backend.Blobs.PutAsync(key, new MemoryStream([1]), default);

    private static async Task<IReadOnlyList<string>> KeysAsync(Backend backend) =>
        await backend.Blobs.ListAsync("", DateTimeOffset.MaxValue, default).ToListAsync();

    private Backend OpenInside(string data) => BackendFactory.Open(
        GivenSettings.Reader(), folder.File(data), new RetrySchedule(), RandomSource.System, TimeProvider.System);

    private Backend Open(string data, bool adopt = false) => BackendFactory.Open(
        GivenSettings.Reader(("blobs", $"folder:{Place}"), ("adoptBlobs", adopt ? "true" : "false")), folder.File(data),
        new RetrySchedule(), RandomSource.System, TimeProvider.System);

    /// <summary>Refuses everything while it is away.</summary>
    private sealed class AwayBlobStore(IBlobStore store) : IBlobStore
    {
        public bool IsAway { get; set; }

        private IBlobStore Store => IsAway ? throw new SpotterException(ErrorCodes.StoreUnavailable, "It is away.") : store;

        public Task PutAsync(string key, Stream content, CancellationToken cancel) => Store.PutAsync(key, content, cancel);

        public Task<Stream?> OpenAsync(string key, CancellationToken cancel) => Store.OpenAsync(key, cancel);

        public Task DeleteAsync(string key, CancellationToken cancel) => Store.DeleteAsync(key, cancel);

        public IAsyncEnumerable<string> ListAsync(string prefix, DateTimeOffset before, CancellationToken cancel) => Store.ListAsync(prefix, before, cancel);

        public Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel) => Store.DeleteUnfinishedAsync(before, cancel);
    }
}

/// <summary>What every blob store does, behind the question whose it is.</summary>
public sealed class OwnedBlobStoreConformance : BlobStoreConformance
{
    private readonly LocalFixture fixture = new();

    protected override Task<IBlobStore> OpenAsync() => Task.FromResult(fixture.Open(TimeProvider.System).Blobs);

    protected override async Task CloseAsync() => await fixture.DisposeAsync();
}
