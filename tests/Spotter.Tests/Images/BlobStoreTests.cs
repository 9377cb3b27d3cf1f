using Spotter.Backends.Local;
using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Tests.Images;

public sealed class FolderBlobStoreTests : BlobStoreConformance
{
    private readonly TemporaryFolder folder = new();

    protected override Task<IBlobStore> OpenAsync() => Task.FromResult<IBlobStore>(new FolderBlobStore(folder.Path));

    protected override Task CloseAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task What_an_earlier_process_left_unfinished_is_deleted_at_the_start()
    {
        Directory.CreateDirectory(folder.File(".unfinished"));
        await File.WriteAllTextAsync(folder.File(".unfinished/5"), "half");

        _ = new FolderBlobStore(folder.Path);

        Directory.EnumerateFileSystemEntries(folder.File(".unfinished")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Folders_that_somebody_tidied_away_are_made_again()
    {
        var store = new FolderBlobStore(folder.Path);
        await store.PutAsync("in/ab/abc", new MemoryStream([1]), default);
        Directory.Delete(folder.File("in"), recursive: true);

        await store.PutAsync("in/ab/abd", new MemoryStream([2]), default);

        await using var read = await store.OpenAsync("in/ab/abd", default);
        read.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_key_that_is_in_the_way_of_a_folder_is_an_error_with_a_code()
    {
        var store = new FolderBlobStore(folder.Path);
        await store.PutAsync("in", new MemoryStream([1]), default);

        var refusal = await Should.ThrowAsync<SpotterException>(() => store.PutAsync("in/ab", new MemoryStream([2]), default));

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
    }
}
