using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>What every <see cref="IBlobStore"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class BlobStoreConformance : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = TimeProvider.System.GetUtcNow().AddDays(1);

    private IBlobStore Store { get; set; } = null!;

    async Task IAsyncLifetime.InitializeAsync() => Store = await OpenAsync();

    Task IAsyncLifetime.DisposeAsync() => CloseAsync();

    /// <summary>Opens an empty store.</summary>
    protected abstract Task<IBlobStore> OpenAsync();

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(480_000)]
    [InlineData(3 * 1024 * 1024)]
    public async Task Bytes_come_back_as_they_went_in(int length)
    {
        var bytes = Bytes(length, seed: length);
        await PutAsync("in/ab/abc", bytes);

        (await ReadAsync("in/ab/abc")).ShouldBe(bytes);
    }

    [Fact]
    public async Task Bytes_that_come_in_dribs_come_back_whole()
    {
        var bytes = Bytes(700_001, seed: 3);
        await Store.PutAsync("in/ab/abc", new DribblingStream(bytes, failAfter: null), default);

        (await ReadAsync("in/ab/abc")).ShouldBe(bytes);
    }

    [Fact]
    public async Task Writing_again_replaces_the_whole_blob()
    {
        await PutAsync("in/ab/abc", Bytes(100_000, seed: 1));
        var shorter = Bytes(10, seed: 2);
        await PutAsync("in/ab/abc", shorter);

        (await ReadAsync("in/ab/abc")).ShouldBe(shorter);
    }

    [Fact]
    public async Task Whoever_reads_while_a_blob_is_replaced_or_deleted_reads_the_old_one()
    {
        var old = Bytes(1_000_000, seed: 1);
        await PutAsync("in/ab/abc", old);
        await using var reader = (await Store.OpenAsync("in/ab/abc", default))!;

        await PutAsync("in/ab/abc", Bytes(1_000_000, seed: 2));
        await Store.DeleteAsync("in/ab/abc", default);

        using var read = new MemoryStream();
        await reader.CopyToAsync(read);
        read.ToArray().ShouldBe(old);
    }

    [Fact]
    public async Task A_missing_blob_is_null()
    {
        (await Store.OpenAsync("in/ab/abc", default)).ShouldBeNull();
        await PutAsync("in/ab/abc", [1]);
        (await Store.OpenAsync("in/ab/abd", default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_deleted_blob_is_gone()
    {
        await PutAsync("in/ab/abc", [1]);
        await Store.DeleteAsync("in/ab/abc", default);
        await Store.DeleteAsync("in/ab/abc", default);
        await Store.DeleteAsync("in/xy/never", default);

        (await Store.OpenAsync("in/ab/abc", default)).ShouldBeNull();
        (await KeysAsync("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_blob_whose_sender_fails_leaves_nothing()
    {
        var broken = new DribblingStream(Bytes(600_000, seed: 1), failAfter: 500_000);

        await Should.ThrowAsync<InvalidDataException>(() => Store.PutAsync("in/ab/abc", broken, default));

        (await Store.OpenAsync("in/ab/abc", default)).ShouldBeNull();
        (await KeysAsync("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_blob_whose_sender_fails_leaves_an_earlier_one_as_it_was()
    {
        await PutAsync("in/ab/abc", [1, 2, 3]);
        var broken = new DribblingStream(Bytes(600_000, seed: 1), failAfter: 500_000);

        await Should.ThrowAsync<InvalidDataException>(() => Store.PutAsync("in/ab/abc", broken, default));

        (await ReadAsync("in/ab/abc")).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task A_cancelled_call_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(
            () => Store.PutAsync("in/ab/abc", new MemoryStream(Bytes(500_000, seed: 1)), stop.Token));

        (await Store.OpenAsync("in/ab/abc", default)).ShouldBeNull();
    }

    [Fact]
    public async Task Keys_are_listed_by_prefix_and_age()
    {
        var random = RandomSource.Seeded(7);
        var (input, output) = (BlobKey.NewInput(random, TimeProvider.System), BlobKey.NewOutput(random, TimeProvider.System));
        await PutAsync(input, [1]);
        await PutAsync(output, [2]);

        (await KeysAsync(BlobKey.InputsPrefix)).ShouldBe([input]);
        (await KeysAsync(BlobKey.OutputsPrefix)).ShouldBe([output]);
        (await KeysAsync(output[..^3])).ShouldBe([output]);
        (await KeysAsync("")).ShouldBe([input, output], ignoreOrder: true);
        (await KeysAsync("none/")).ShouldBeEmpty();
        (await KeysAsync("../")).ShouldBeEmpty();
        (await KeysAsync("", TimeProvider.System.GetUtcNow().AddDays(-1))).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../escape")]
    [InlineData("in/../../escape")]
    [InlineData("in/..")]
    [InlineData("in\\..\\escape")]
    [InlineData("in/%2e%2e/escape")]
    [InlineData("in/ab\0c")]
    [InlineData("IN/AB")]
    [InlineData(".hidden")]
    [InlineData("in/ab c")]
    [InlineData("c:in")]
    public async Task A_key_that_the_server_did_not_make_is_refused(string key)
    {
        await Should.ThrowAsync<ArgumentException>(() => PutAsync(key, [1]));
        await Should.ThrowAsync<ArgumentException>(async () => _ = await Store.OpenAsync(key, default));
        await Should.ThrowAsync<ArgumentException>(() => Store.DeleteAsync(key, default));
    }

    [Fact]
    public async Task Many_blobs_are_written_at_once()
    {
        var keys = Enumerable.Range(0, 100).Select(i => $"in/{i % 16:x2}/{i}").ToList();

        await Task.WhenAll(keys.Select((key, i) => Task.Run(() => PutAsync(key, Bytes(10_000 + i, seed: i)))));

        (await KeysAsync("in/")).ShouldBe(keys, ignoreOrder: true);
        for (var i = 0; i < keys.Count; i++)
            (await ReadAsync(keys[i])).ShouldBe(Bytes(10_000 + i, seed: i));
    }

    [Fact]
    public async Task One_key_written_by_many_at_once_holds_what_one_of_them_wrote()
    {
        var contents = Enumerable.Range(0, 20).Select(i => Bytes(300_000, seed: i)).ToList();

        await Task.WhenAll(contents.Select(bytes => Task.Run(() => PutAsync("in/ab/abc", bytes))));

        var read = await ReadAsync("in/ab/abc");
        contents.Count(bytes => bytes.AsSpan().SequenceEqual(read)).ShouldBe(1);
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        RandomSource.Seeded(seed).Fill(bytes);
        return bytes;
    }

    private Task PutAsync(string key, byte[] bytes) => Store.PutAsync(key, new MemoryStream(bytes), default);

    private async Task<byte[]> ReadAsync(string key)
    {
        await using var stream = (await Store.OpenAsync(key, default)).ShouldNotBeNull();
        using var read = new MemoryStream();
        await stream.CopyToAsync(read);
        stream.Length.ShouldBe(read.Length);
        return read.ToArray();
    }

    private async Task<List<string>> KeysAsync(string prefix, DateTimeOffset? before = null)
    {
        var keys = new List<string>();
        await foreach (var key in Store.ListAsync(prefix, before ?? Later, default))
            keys.Add(key);
        return keys;
    }

    /// <summary>Gives some bytes at a time, as a network does, and may break off.</summary>
    private sealed class DribblingStream(byte[] bytes, int? failAfter) : MemoryStream(bytes, writable: false)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (Position >= failAfter)
                throw new InvalidDataException("The sender has gone.");
            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, 7001)], cancellationToken);
        }
    }
}
