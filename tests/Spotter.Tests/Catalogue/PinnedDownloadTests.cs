using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Spotter.Cli.Catalogue;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Catalogue;

public sealed class PinnedDownloadTests : IAsyncLifetime
{
    private static readonly TransferLimits Limits = new()
    {
        Retries = new RetrySchedule { MaxAttempts = 3, FirstDelay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(5) },
        LongestRetryAfter = TimeSpan.FromMilliseconds(20),
    };

    private readonly TemporaryFolder folder = new();
    private readonly List<string> notes = [];
    private FileServer server = null!;

    private string Target => folder.File("tiny.onnx");

    public async Task InitializeAsync() => server = await FileServer.StartAsync();

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_model_arrives_whole_and_leaves_nothing_else()
    {
        List<long> progress = [];
        var state = await PullAsync(progress: new Log(progress));

        state.ShouldBe(PullState.Downloaded);
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        Names().ShouldBe(["tiny.onnx"]);
        progress[0].ShouldBe(0);
        progress[^1].ShouldBe(server.Content.Length);
        server.Requests().ShouldHaveSingleItem().Range.ShouldBeNull();
    }

    [Fact]
    public async Task What_is_there_already_is_not_fetched()
    {
        await File.WriteAllBytesAsync(Target, server.Content);

        (await PullAsync()).ShouldBe(PullState.Present);
        server.Requests().ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_file_of_that_name_stays_unless_forced()
    {
        await File.WriteAllTextAsync(Target, "mine");

        (await Refusal(PullAsync())).Code.ShouldBe(ErrorCodes.AlreadyThere);
        (await File.ReadAllTextAsync(Target)).ShouldBe("mine");
        server.Requests().ShouldBeEmpty();

        (await PullAsync(force: true)).ShouldBe(PullState.Downloaded);
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_taken_up_again_where_it_broke()
    {
        server.Next(server.CutAfter(80_000));

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        var requests = server.Requests();
        requests.Count.ShouldBe(2);
        requests[1].Range.ShouldBe("bytes=80000-");
        requests[1].IfRange.ShouldBe(server.Tag);
        notes.ShouldHaveSingleItem().ShouldContain("trying again");
    }

    [Fact]
    public async Task What_an_earlier_run_left_is_continued()
    {
        server.Next(server.CutAfter(80_000), Fails(503), Fails(503));
        (await Refusal(PullAsync())).Code.ShouldBe(ErrorCodes.DownloadFailed);
        Names().ShouldBe(["tiny.onnx.part", "tiny.onnx.part.from"]);
        server.Requests();

        var download = Download();
        await download.RunAsync(force: false, new Log([]), CancellationToken.None);

        download.ResumedAt.ShouldBe(80_000);
        server.Requests().ShouldHaveSingleItem().ShouldBe(new("/tiny.onnx", "bytes=80000-", server.Tag));
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        Names().ShouldBe(["tiny.onnx"]);
    }

    [Fact]
    public async Task A_line_that_breaks_again_and_again_still_brings_a_large_file()
    {
        server.Content = FileServer.Bytes(1_000_000, seed: 2);
        // More often than there are attempts, but each brings something.
        server.Next([.. Enumerable.Range(0, 7).Select<int, RequestDelegate>(_ => async http =>
        {
            var from = (int?)http.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0;
            if (from > 0)
                (http.Response.StatusCode, http.Response.Headers.ContentRange) = (206, $"bytes {from}-{server.Content.Length - 1}/{server.Content.Length}");
            http.Response.Headers.ETag = server.Tag;
            http.Response.ContentLength = server.Content.Length - from;
            await http.Response.Body.WriteAsync(server.Content.AsMemory(from, 100_000));
            await http.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            http.Abort();
        })]);

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        server.Requests().Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_server_without_ranges_gives_it_from_the_beginning()
    {
        server.Ranges = false;
        server.Next(server.CutAfter(80_000));

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        server.Requests()[1].Range.ShouldBe("bytes=80000-");
    }

    [Fact]
    public async Task A_version_that_changed_in_between_is_fetched_anew()
    {
        var right = server.Content;
        server.Content = FileServer.Bytes(right.Length, seed: 3);
        server.Next(server.CutAfter(80_000), http =>
        {
            (server.Content, server.Tag) = (right, "\"two\"");
            return server.GiveAsync(http);
        });

        await PullAsync(right);

        (await File.ReadAllBytesAsync(Target)).ShouldBe(right);
        server.Requests()[1].IfRange.ShouldBe("\"one\"");
    }

    [Fact]
    public async Task Pieces_that_do_not_fit_together_are_fetched_anew_as_a_whole()
    {
        // A server that gives no tags, and whose file was another one at first.
        var right = server.Content;
        server.Tag = "";
        server.Content = FileServer.Bytes(right.Length, seed: 3);
        server.Next(server.CutAfter(80_000), http =>
        {
            server.Content = right;
            return server.GiveAsync(http);
        });

        await PullAsync(right);

        (await File.ReadAllBytesAsync(Target)).ShouldBe(right);
        server.Requests().Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_part_that_a_crash_spoilt_is_fetched_anew()
    {
        server.Next(server.CutAfter(80_000), Fails(404));
        await Refusal(PullAsync());
        var part = await File.ReadAllBytesAsync(Target + ".part");
        part.AsSpan(40_000).Clear();
        await File.WriteAllBytesAsync(Target + ".part", part);

        (await PullAsync()).ShouldBe(PullState.Downloaded);
        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
    }

    [Fact]
    public async Task The_part_of_another_model_of_that_name_is_not_continued()
    {
        server.Next(server.CutAfter(80_000), Fails(404));
        await Refusal(PullAsync());
        server.Requests();
        server.Content = FileServer.Bytes(150_000, seed: 4);

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        server.Requests().ShouldHaveSingleItem().Range.ShouldBeNull();
    }

    [Fact]
    public async Task Bytes_with_another_hash_are_refused_and_not_kept()
    {
        var stated = server.Content;
        server.Content = [.. stated];
        server.Content[12_345] ^= 1;

        var refusal = await Refusal(PullAsync(stated));

        refusal.Code.ShouldBe(ErrorCodes.DownloadCorrupt);
        refusal.Message.ShouldContain("SHA-256");
        Names().ShouldBeEmpty();
        server.Requests().ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public async Task A_file_of_another_length_is_refused_before_its_bytes_come(int more)
    {
        var stated = server.Content;
        server.Content = FileServer.Bytes(stated.Length + more, seed: 1);

        (await Refusal(PullAsync(stated))).Message.ShouldContain($"{server.Content.Length} bytes");
        Names().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_does_not_stop_is_cut_off()
    {
        server.Next(async http =>
        {
            for (var i = 0; i < 1000 && !http.RequestAborted.IsCancellationRequested; i++)
                await http.Response.Body.WriteAsync(server.Content, http.RequestAborted);
        });

        (await Refusal(PullAsync())).Code.ShouldBe(ErrorCodes.DownloadCorrupt);
        Names().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_without_a_length_that_ends_too_soon_is_continued()
    {
        server.Next(http =>
        {
            http.Response.Headers.ETag = server.Tag;
            return http.Response.Body.WriteAsync(server.Content.AsMemory(0, 70_000)).AsTask();
        });

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        server.Requests()[1].Range.ShouldBe("bytes=70000-");
    }

    [Fact]
    public async Task Another_piece_than_the_one_asked_for_is_not_taken()
    {
        server.Next(server.CutAfter(80_000), async http =>
        {
            http.Response.StatusCode = 206;
            http.Response.Headers.ContentRange = $"bytes 0-99/{server.Content.Length}";
            await http.Response.Body.WriteAsync(server.Content.AsMemory(0, 100));
        });

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
    }

    [Fact]
    public async Task A_server_that_fails_for_a_while_is_asked_again()
    {
        server.Next(Fails(500), http =>
        {
            http.Response.Headers.RetryAfter = "3600";
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        });

        (await PullAsync()).ShouldBe(PullState.Downloaded);
        server.Requests().Count.ShouldBe(3);
        notes.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(500, 3)]
    [InlineData(429, 3)]
    [InlineData(404, 1)]
    [InlineData(403, 1)]
    [InlineData(204, 1)]
    public async Task A_server_that_keeps_refusing_is_named_with_its_answer(int status, int requests)
    {
        server.Next(Fails(status), Fails(status), Fails(status));

        var refusal = await Refusal(PullAsync());

        refusal.Code.ShouldBe(ErrorCodes.DownloadFailed);
        refusal.Message.ShouldContain($"answers {status}");
        refusal.Message.ShouldContain(server.Address.Authority);
        server.Requests().Count.ShouldBe(requests);
        Names().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_falls_silent_is_not_waited_for(bool afterAPiece)
    {
        RequestDelegate hang = async http =>
        {
            if (afterAPiece)
            {
                http.Response.ContentLength = server.Content.Length;
                await http.Response.Body.WriteAsync(server.Content.AsMemory(0, 10));
                await http.Response.Body.FlushAsync();
            }
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        server.Next(hang, hang, hang);

        (await Refusal(PullAsync(limits: Limits with { Silence = TimeSpan.FromMilliseconds(200) }))).Code.ShouldBe(ErrorCodes.DownloadFailed);
        notes.Count(note => note.Contains("trying again", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task Redirects_within_the_server_are_followed_with_the_range()
    {
        RequestDelegate elsewhere = http =>
        {
            http.Response.Redirect("/moved?token=x");
            return Task.CompletedTask;
        };
        server.Next(elsewhere, server.CutAfter(80_000), elsewhere);

        await PullAsync();

        (await File.ReadAllBytesAsync(Target)).ShouldBe(server.Content);
        server.Requests().Select(asked => (asked.Path, asked.Range)).ShouldBe([
            ("/tiny.onnx", null), ("/moved?token=x", null), ("/tiny.onnx", "bytes=80000-"), ("/moved?token=x", "bytes=80000-")]);
    }

    [Fact]
    public async Task Redirects_to_an_open_server_elsewhere_are_refused()
    {
        await using var other = await FileServer.StartAsync();
        server.Next(Redirects(new Uri(other.Address, "/tiny.onnx").ToString()));

        (await Refusal(PullAsync())).Message.ShouldContain(other.Address.Authority);
        other.Requests().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/tiny.onnx")]
    public async Task Redirects_to_something_else_than_the_web_are_refused(string target)
    {
        server.Next(Redirects(target));

        (await Refusal(PullAsync())).Code.ShouldBe(ErrorCodes.DownloadFailed);
    }

    [Fact]
    public async Task Redirects_in_a_circle_end()
    {
        server.Next([.. Enumerable.Repeat(Redirects("/tiny.onnx"), 20)]);

        (await Refusal(PullAsync())).Message.ShouldContain("redirected more than");
        server.Requests().Count.ShouldBe(6);
    }

    [Fact]
    public async Task Two_at_once_fetch_it_once()
    {
        using var begun = new SemaphoreSlim(0);
        var go = new TaskCompletionSource();
        server.Next(async http =>
        {
            begun.Release();
            await go.Task;
            await server.GiveAsync(http);
        });
        var first = PullAsync();
        await begun.WaitAsync(TimeSpan.FromSeconds(30));
        var waits = new TaskCompletionSource();
        var second = Download(note: _ => waits.TrySetResult()).RunAsync(force: false, new Log([]), CancellationToken.None);
        await waits.Task.WaitAsync(TimeSpan.FromSeconds(30));
        go.SetResult();

        (await first).ShouldBe(PullState.Downloaded);
        (await second).ShouldBe(PullState.Present);
        server.Requests().ShouldHaveSingleItem();
        Names().ShouldBe(["tiny.onnx"]);
    }

    [Fact]
    public async Task What_a_file_does_not_tell_is_put_beside_it_unless_the_user_did()
    {
        string[] facts = ["task: classify", "input:", "  colour: bgr"];
        await Download(facts: facts).RunAsync(force: false, new Log([]), CancellationToken.None);
        (await File.ReadAllLinesAsync(folder.File("tiny.yaml"))).ShouldBe(facts);

        File.Delete(Target);
        await File.WriteAllTextAsync(folder.File("tiny.yaml"), "task: detect");
        await Download(facts: facts).RunAsync(force: false, new Log([]), CancellationToken.None);
        (await File.ReadAllTextAsync(folder.File("tiny.yaml"))).ShouldBe("task: detect");
        notes.ShouldHaveSingleItem().ShouldContain("stays as it is");
        Names().ShouldBe(["tiny.onnx", "tiny.yaml"]);
    }

    [Fact]
    public async Task Stopping_keeps_what_is_there()
    {
        using var stop = new CancellationTokenSource();
        server.Next(async http =>
        {
            http.Response.ContentLength = server.Content.Length;
            http.Response.Headers.ETag = server.Tag;
            await http.Response.Body.WriteAsync(server.Content.AsMemory(0, 80_000));
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var seen = new Log([], there =>
        {
            if (there == 80_000)
                stop.Cancel();
        });

        await Should.ThrowAsync<OperationCanceledException>(Download().RunAsync(force: false, seen, stop.Token));

        new FileInfo(Target + ".part").Length.ShouldBe(80_000);
        (await PullAsync()).ShouldBe(PullState.Downloaded);
        server.Requests()[1].Range.ShouldBe("bytes=80000-");
    }

    [Fact]
    public async Task A_model_that_no_disk_can_hold_is_refused_before_it_is_asked_for()
    {
        using var transfer = NewTransfer(Limits, notes.Add);
        var entry = Entry(server.Content, null) with { Bytes = long.MaxValue };

        (await Refusal(new PinnedDownload(transfer, entry, folder.Path).RunAsync(force: false, new Log([]), CancellationToken.None)))
            .Code.ShouldBe(ErrorCodes.DiskFull);
        server.Requests().ShouldBeEmpty();
    }

    private static RequestDelegate Fails(int status) => http =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private static RequestDelegate Redirects(string target) => http =>
    {
        http.Response.Redirect(target);
        return Task.CompletedTask;
    };

    private static Transfer NewTransfer(TransferLimits limits, Action<string> note) =>
        new(limits, TimeProvider.System, RandomSource.Seeded(1), note);

    private static async Task<SpotterException> Refusal(Task pull) => await Should.ThrowAsync<SpotterException>(pull);

    private async Task<PullState> PullAsync(byte[]? stated = null, bool force = false, TransferLimits? limits = null, IProgress<long>? progress = null)
    {
        using var transfer = NewTransfer(limits ?? Limits, notes.Add);
        return await new PinnedDownload(transfer, Entry(stated ?? server.Content, null), folder.Path)
            .RunAsync(force, progress ?? new Log([]), CancellationToken.None);
    }

    private PinnedDownload Download(Action<string>? note = null, string[]? facts = null) =>
        new(NewTransfer(Limits, note ?? notes.Add), Entry(server.Content, facts), folder.Path);

    private CatalogueEntry Entry(byte[] stated, string[]? facts) => new()
    {
        Name = "tiny",
        Task = "detect",
        What = "a test",
        Url = new Uri(server.Address, "/tiny.onnx"),
        Bytes = stated.Length,
        Sha256 = Convert.ToHexString(SHA256.HashData(stated)),
        Licence = new("Apache-2.0", "nobody", "made up", Permissive: true),
        Overrides = facts,
    };

    private List<string> Names() => [.. Directory.EnumerateFiles(folder.Path).Select(file => Path.GetFileName(file)).Where(name => name[0] != '.').Order(StringComparer.Ordinal)];

    private sealed class Log(List<long> values, Action<long>? also = null) : IProgress<long>
    {
        public void Report(long value)
        {
            values.Add(value);
            also?.Invoke(value);
        }
    }
}
