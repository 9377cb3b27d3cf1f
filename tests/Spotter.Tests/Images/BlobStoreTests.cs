using Spotter.Backends.Local;
using Spotter.Backends.Opening;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Jobs;

namespace Spotter.Tests.Images;

public sealed class FolderBlobStoreTests : BlobStoreConformance
{
    private readonly TemporaryFolder folder = new();

    protected override Task<IBlobStore> OpenAsync() => Task.FromResult<IBlobStore>(NewStore());

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task What_a_dead_process_left_unfinished_is_deleted_and_what_this_one_writes_is_not()
    {
        var store = NewStore();
        Directory.CreateDirectory(folder.File(".unfinished"));
        File.WriteAllText(folder.File(".unfinished/old"), "half");
        File.SetLastWriteTimeUtc(folder.File(".unfinished/old"), TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1.1));
        File.WriteAllText(folder.File(".unfinished/young"), "half");
        File.SetLastWriteTimeUtc(folder.File(".unfinished/young"), TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-0.9));

        var sending = new System.IO.Pipelines.Pipe();
        var writing = store.PutAsync("in/slow", sending.Reader.AsStream(), default);
        await sending.Writer.WriteAsync(new byte[200_000]);
        var own = await Task.Run(async () =>
        {
            while (true)
            {
                if (Directory.EnumerateFiles(folder.File(".unfinished")).FirstOrDefault(f => Path.GetFileName(f) is not ("old" or "young")) is { } file)
                    return file;
                await Task.Yield();
            }
        }).WaitAsync(TimeSpan.FromSeconds(60));
        File.SetLastWriteTimeUtc(own, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2));

        await store.DeleteUnfinishedAsync(TimeProvider.System.GetUtcNow().AddHours(-1), default);

        Directory.EnumerateFiles(folder.File(".unfinished")).Select(Path.GetFileName).ShouldBe(["young", Path.GetFileName(own)], ignoreOrder: true);
        await sending.Writer.CompleteAsync();
        await writing;
        (await store.OpenAsync("in/slow", default))!.Length.ShouldBe(200_000);
    }

    [Fact]
    public async Task What_is_lent_is_the_blob_under_a_second_name_and_goes_without_it()
    {
        var store = NewStore();
        await store.PutAsync("in/ab/abc", new MemoryStream([1, 2, 3]), default);

        var (one, other) = (store.Files.Lend("in/ab/abc")!, store.Files.Lend("in/ab/abc")!);

        string.Equals(one, other, StringComparison.Ordinal).ShouldBeFalse();
        Path.GetDirectoryName(one).ShouldBe(store.Files.LentFolder);
        Path.GetFileName(one).Length.ShouldBe(32, "nobody guesses it");
        File.ReadAllBytes(one).ShouldBe([1, 2, 3]);
        File.Delete(one);
        await store.DeleteAsync("in/ab/abc", default);
        File.ReadAllBytes(other).ShouldBe([1, 2, 3], "who has it already goes on");
        store.Files.Lend("in/ab/abc").ShouldBeNull("it is gone");
        (await store.ListAsync("", DateTimeOffset.MaxValue, default).ToListAsync()).ShouldBeEmpty("what is lent is no blob");
    }

    [Fact]
    public async Task What_was_lent_and_not_taken_goes_with_what_is_unfinished()
    {
        var store = NewStore();
        await store.PutAsync("in/ab/old", new MemoryStream([1]), default);
        await store.PutAsync("in/ab/young", new MemoryStream([2]), default);
        var (old, young) = (store.Files.Lend("in/ab/old")!, store.Files.Lend("in/ab/young")!);
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2));

        await store.DeleteUnfinishedAsync(TimeProvider.System.GetUtcNow().AddHours(-1), default);

        File.Exists(old).ShouldBeFalse();
        File.Exists(young).ShouldBeTrue();
        (await store.OpenAsync("in/ab/old", default)).ShouldNotBeNull().Dispose();
    }

    [Fact]
    public async Task A_process_that_starts_leaves_the_uploads_of_another_alone()
    {
        var content = new PausingStream(Bytes.Random(600_000, seed: 1));
        var putting = NewStore().PutAsync("in/ab/abc", content, default);
        await content.Reached;

        var started = NewStore();
        content.Continue();
        await putting;

        await using var read = (await started.OpenAsync("in/ab/abc", default)).ShouldNotBeNull();
        read.Length.ShouldBe(600_000);
    }

    [Fact]
    public async Task A_folder_that_is_not_mounted_any_more_is_no_reason_to_take_a_blob_for_lost()
    {
        var store = NewStore();
        await store.PutAsync("in/ab/abc", new MemoryStream([1]), default);
        Directory.Delete(folder.Path, recursive: true);
        Directory.CreateDirectory(folder.Path);

        var refusal = await Should.ThrowAsync<SpotterException>(() => store.OpenAsync("in/ab/abc", default));
        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldBe($"The folder of the blob store, {folder.Path}, is gone; mount it again.");
        (await Should.ThrowAsync<SpotterException>(() => store.PutAsync("in/ab/abd", new MemoryStream([2]), default))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        Directory.EnumerateFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Folders_that_somebody_tidied_away_are_made_again()
    {
        var store = NewStore();
        await store.PutAsync("in/ab/abc", new MemoryStream([1]), default);
        Directory.Delete(folder.File("in"), recursive: true);
        Directory.Delete(store.Files.LentFolder, recursive: true);

        await store.PutAsync("in/ab/abd", new MemoryStream([2]), default);
        store.Files.Lend("in/ab/abd").ShouldBeNull("it is fetched by its key");
        await store.DeleteUnfinishedAsync(DateTimeOffset.MaxValue.AddYears(-1), default);

        await using var read = await store.OpenAsync("in/ab/abd", default);
        read.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_key_that_is_in_the_way_of_a_folder_is_an_error_with_a_code()
    {
        var store = NewStore();
        await store.PutAsync("in", new MemoryStream([1]), default);

        var refusal = await Should.ThrowAsync<SpotterException>(() => store.PutAsync("in/ab", new MemoryStream([2]), default));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }

    private FolderBlobStore NewStore() => new(folder.Path, RandomSource.System);
}

/// <summary>Two processes' stores of one folder: what one writes, the other reads, lists and deletes.</summary>
public sealed class SharedFolderBlobStoreTests : BlobStoreConformance
{
    private readonly TemporaryFolder folder = new();

    protected override Task<IBlobStore> OpenAsync() =>
        Task.FromResult<IBlobStore>(new TakingTurns(new FolderBlobStore(folder.Path, RandomSource.System), new FolderBlobStore(folder.Path, RandomSource.System)));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    private sealed class TakingTurns(params IBlobStore[] stores) : IBlobStore
    {
        private int calls;

        private IBlobStore Next => stores[Interlocked.Increment(ref calls) % stores.Length];

        public Task PutAsync(string key, Stream content, CancellationToken cancel) => Next.PutAsync(key, content, cancel);

        public Task<Stream?> OpenAsync(string key, CancellationToken cancel) => Next.OpenAsync(key, cancel);

        public Task DeleteAsync(string key, CancellationToken cancel) => Next.DeleteAsync(key, cancel);

        public IAsyncEnumerable<string> ListAsync(string prefix, DateTimeOffset before, CancellationToken cancel) => Next.ListAsync(prefix, before, cancel);

        public Task DeleteUnfinishedAsync(DateTimeOffset before, CancellationToken cancel) => Next.DeleteUnfinishedAsync(before, cancel);
    }
}

public sealed class BlobStoresTests
{
    [Theory]
    [InlineData("ftp://x")]
    [InlineData("folder:")]
    [InlineData("/pictures")]
    [InlineData("s3:bucket")]
    public void A_place_where_pictures_cannot_be_kept_is_refused(string place)
    {
        using var folder = new TemporaryFolder();

        var refusal = Should.Throw<SpotterException>(
            () => BlobStores.Open(GivenSettings.Reader(("blobs", place)), folder.Path, RandomSource.System, TimeProvider.System));

        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refusal.Message.ShouldBe($"Pictures can't be kept in '{place}'; write folder:PATH, s3://BUCKET or s3://BUCKET/PREFIX.");
    }

    [Fact]
    public async Task Pictures_lie_in_the_data_folder_or_in_the_folder_that_is_named()
    {
        using var folder = new TemporaryFolder();
        foreach (var (place, file) in ((string?, string)[])[(null, "data/blobs/in/ab/abc"), ($"folder:{folder.File("shared")}", "shared/in/ab/abc")])
        {
            using var opened = BlobStores.Open(place is null ? GivenSettings.Reader() : GivenSettings.Reader(("blobs", place)), folder.File("data"), RandomSource.System, TimeProvider.System);
            await opened.Store.PutAsync("in/ab/abc", new MemoryStream([1]), default);
            File.Exists(folder.File(file)).ShouldBeTrue();
        }
    }
}
