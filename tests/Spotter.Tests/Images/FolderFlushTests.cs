using System.Collections.Concurrent;
using Spotter.Backends.Local;
using Spotter.Core;

namespace Spotter.Tests.Images;

/// <summary>Who waits for the disk when blobs are written into a folder, in which order it is asked, and how often.</summary>
public sealed class FolderFlushTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder folder = new();
    private readonly ManualResetEventSlim well = new();

    public void Dispose()
    {
        well.Set();
        folder.Dispose();
    }

    [Fact]
    public async Task While_a_disk_hangs_the_thread_pool_is_free()
    {
        var pooled = 0;
        using var begun = new SemaphoreSlim(0);
        using var store = new FolderBlobStore(folder.Path, RandomSource.System)
        {
            FlushFile = _ =>
            {
                if (Thread.CurrentThread.IsThreadPoolThread)
                    Interlocked.Increment(ref pooled);
                begun.Release();
                well.Wait();
            },
        };

        var puts = Enumerable.Range(0, 200).Select(i => Task.Run(() => PutAsync(store, $"in/ab/{i}"))).ToList();
        (await begun.WaitAsync(Patience)).ShouldBeTrue();
        for (var i = 0; i < 100; i++)
            await Task.Run(() => { }).WaitAsync(TimeSpan.FromSeconds(20));

        puts.ShouldAllBe(put => !put.IsCompleted);
        well.Set();
        await Task.WhenAll(puts).WaitAsync(Patience);
        pooled.ShouldBe(0);
    }

    [Fact]
    public async Task Folders_are_not_flushed_by_threads_of_the_pool_either()
    {
        var threads = new ConcurrentBag<bool>();
        using var store = new FolderBlobStore(folder.Path, RandomSource.System) { FlushFolder = _ => threads.Add(Thread.CurrentThread.IsThreadPoolThread) };

        await Task.Run(() => PutAsync(store, "in/ab/abc"));

        threads.ShouldBe([false, false, false], "of what holds `in`, of `in`, and of `in/ab`");
    }

    [Fact]
    public async Task A_blob_is_flushed_then_named_then_its_folder_is_flushed_and_then_it_is_answered_for()
    {
        var named = folder.File("in/ab/abc");
        var steps = new ConcurrentQueue<string>();
        using var store = new FolderBlobStore(folder.Path, RandomSource.System)
        {
            FlushFile = _ => steps.Enqueue(File.Exists(named) ? "file after its name" : "file"),
            FlushFolder = path =>
            {
                if (Path.GetFileName(path) != "ab")
                    return;
                steps.Enqueue(File.Exists(named) ? "folder" : "folder before the name");
                well.Wait();
            },
        };

        var put = PutAsync(store, "in/ab/abc");
        await WaitAsync(() => steps.Count == 2);

        steps.ShouldBe(["file", "folder"]);
        put.IsCompleted.ShouldBeFalse();
        well.Set();
        await put.WaitAsync(Patience);
    }

    [Fact]
    public async Task Files_that_wait_for_the_same_folder_share_a_flush()
    {
        const int Files = 50;
        var flushes = 0;
        using var store = new FolderBlobStore(folder.Path, RandomSource.System)
        {
            FlushFolder = path =>
            {
                if (Path.GetFileName(path) != "ab")
                    return;
                Interlocked.Increment(ref flushes);
                well.Wait();
            },
        };

        var puts = Enumerable.Range(0, Files).Select(i => PutAsync(store, $"in/ab/{i}")).ToList();
        await WaitAsync(() => Directory.Exists(folder.File("in/ab")) && Directory.EnumerateFiles(folder.File("in/ab")).Count() == Files);
        well.Set();
        await Task.WhenAll(puts).WaitAsync(Patience);

        // One for the first, one for those that came meanwhile; some may not have joined in when the disk was well again.
        flushes.ShouldBeInRange(2, 10);
    }

    [Fact]
    public async Task A_folder_that_fails_to_be_flushed_fails_everybody_and_is_not_flushed_again()
    {
        var flushes = 0;
        using var store = new FolderBlobStore(folder.Path, RandomSource.System)
        {
            FlushFolder = path =>
            {
                if (Path.GetFileName(path) != "ab")
                    return;
                Interlocked.Increment(ref flushes);
                well.Wait();
                throw new IOException("the disk is broken");
            },
        };
        var puts = Enumerable.Range(0, 5).Select(i => PutAsync(store, $"in/ab/{i}")).ToList();
        await WaitAsync(() => flushes == 1);
        store.Failed.IsCompleted.ShouldBeFalse();
        well.Set();

        (await store.Failed.WaitAsync(Patience)).Message.ShouldBe("the disk is broken");
        puts.Add(PutAsync(store, "in/cd/late"));
        foreach (var put in puts)
        {
            var refusal = await Should.ThrowAsync<SpotterException>(() => put.WaitAsync(Patience));
            refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
            refusal.Message.ShouldContain("the disk is broken");
        }
        flushes.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_fails_to_be_flushed_is_refused_and_not_named()
    {
        var flushes = 0;
        using var store = new FolderBlobStore(folder.Path, RandomSource.System)
        {
            FlushFile = _ =>
            {
                flushes++;
                throw new IOException("the disk is broken");
            },
        };

        (await Should.ThrowAsync<SpotterException>(() => PutAsync(store, "in/ab/abc"))).Code.ShouldBe(ErrorCodes.StoreUnavailable);

        flushes.ShouldBe(1);
        Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_closed_takes_nothing_more()
    {
        var store = new FolderBlobStore(folder.Path, RandomSource.System);
        store.Dispose();

        (await Should.ThrowAsync<SpotterException>(() => PutAsync(store, "in/ab/abc"))).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    private static Task PutAsync(FolderBlobStore store, string key) => store.PutAsync(key, new MemoryStream([1, 2, 3]), default);

    private static async Task WaitAsync(Func<bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!reached())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }
}
