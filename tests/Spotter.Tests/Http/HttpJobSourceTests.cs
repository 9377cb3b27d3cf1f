using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Tests.Gateway;
using Spotter.Vision;
using Spotter.Worker;

namespace Spotter.Tests.Http;

/// <summary>Both ends of the workers' door: a worker's source against a gateway that really listens.</summary>
public sealed class HttpJobSourceTests : IAsyncLifetime
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    private static readonly string Queue = QueueNames.Of(VisionTasks.Detect, GatewayBench.Model.Id);

    private readonly LogLines log = new();
    private readonly List<WorkerModel> models = [new(GatewayBench.Model.Id, "1")];
    private GatewayBench bench = null!;
    private HttpJobSource source = null!;

    public async Task InitializeAsync()
    {
        bench = await GatewayBench.StartAsync();
        source = Source(GatewayBench.Token);
    }

    public async Task DisposeAsync()
    {
        source.Dispose();
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task A_job_goes_all_the_way()
    {
        (await source.JoinAsync(default)).HeartbeatSeconds.ShouldBe(5);
        var id = await bench.SubmitAsync();

        var started = await TakeAsync();
        started!.Job.Id.ShouldBe(id);
        started.Lease.Worker.ShouldBe("w");
        bench.Roster.List()[0].State.ShouldBe(WorkerState.Busy);
        await using (var image = await source.OpenInputAsync(started, started.Job.Spec.Inputs[0], default))
        {
            var bytes = new MemoryStream();
            await image.CopyToAsync(bytes);
            bytes.ToArray().ShouldBe(GatewayBench.Picture());
        }
        (await source.HeartbeatAsync("w", [started.Lease], default)).Lost.ShouldBeEmpty();
        var key = await source.PutOutputAsync(started, new byte[700_000], default);
        key.ShouldStartWith(BlobKey.OutputsPrefix);
        (await source.FinishAsync(started.Lease, SampleJobs.Done(key), default)).ShouldBeTrue();

        var row = (await bench.Jobs.FindAsync(id, default))!;
        (row.State, row.Output).ShouldBe((JobState.Succeeded, key));
        bench.Roster.List()[0].State.ShouldBe(WorkerState.Idle);
    }

    [Fact]
    public async Task Nothing_to_take_is_no_error() =>
        (await JoinedTakeAsync(TimeSpan.Zero)).ShouldBeNull();

    [Fact]
    public async Task A_long_poll_gets_the_job_that_comes_meanwhile()
    {
        await source.JoinAsync(default);
        var taking = TakeAsync();
        var id = await bench.SubmitAsync();

        (await taking.WaitAsync(GatewayBench.Safety))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task A_lost_lease_is_told_at_the_beat_and_at_the_end()
    {
        await source.JoinAsync(default);
        var id = await bench.SubmitAsync();
        var started = (await TakeAsync())!;
        await bench.Jobs.CancelAsync(id, null, default);

        (await source.HeartbeatAsync("w", [started.Lease], default)).Lost.ShouldBe([id]);
        (await source.FinishAsync(started.Lease, SampleJobs.Done(), default)).ShouldBeFalse();
        (await source.FinishAsync(started.Lease with { Worker = "other" }, SampleJobs.Done(), default)).ShouldBeFalse();
        (await bench.Jobs.FindAsync(id, default))!.State.ShouldBe(JobState.Cancelled);
    }

    [Fact]
    public async Task A_drain_is_told_at_the_beat_and_ends_taking()
    {
        await source.JoinAsync(default);
        await bench.SubmitAsync();
        bench.Roster.Drain("w", drain: true);

        (await source.HeartbeatAsync("w", [], default)).Drain.ShouldBeTrue();
        (await TakeAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Who_was_told_to_drain_asks_before_leaving_and_may_be_kept()
    {
        await source.JoinAsync(default);
        bench.Roster.Drain("w", drain: true);
        bench.Roster.Drain("w", drain: false);

        var orders = (await source.AskToLeaveAsync("w", default)).ShouldNotBeNull();
        (orders.Drain, orders.Order).ShouldBe((false, 2));
        (await source.HeartbeatAsync("w", [], default)).Order.ShouldBe(2);
        bench.Roster.Has("w").ShouldBeTrue();

        bench.Roster.Drain("w", drain: true);
        (await source.AskToLeaveAsync("w", default)).ShouldBeNull();
        bench.Roster.Has("w").ShouldBeFalse();
        (await source.AskToLeaveAsync("w", default)).ShouldBeNull("a gateway that knows nobody keeps nobody");
    }

    [Fact]
    public async Task Who_asks_a_gateway_that_is_gone_may_leave()
    {
        await source.JoinAsync(default);
        await bench.StopHostAsync();
        (await source.AskToLeaveAsync("w", default).WaitAsync(GatewayBench.Safety)).ShouldBeNull();
        await bench.StartHostAsync();
    }

    [Fact]
    public async Task A_take_ends_when_the_worker_says_that_it_has_other_models()
    {
        await source.JoinAsync(default);
        var taking = source.TakeAsync("w", [Queue], GatewayBench.Safety, default);
        await source.HeartbeatAsync("w", [], default);
        bench.Roster.HasModel("second").ShouldBeFalse();

        models.Add(new("second", "1"));
        while (!taking.IsCompleted)
        {
            // The beat may have come before the take: then the next one tells again.
            models[1] = models[1] with { Version = models[1].Version + "1" };
            await source.HeartbeatAsync("w", [], default);
        }

        (await taking).ShouldBeNull();
        bench.Roster.HasModel("second").ShouldBeTrue();
    }

    [Fact]
    public async Task A_gateway_that_has_forgotten_the_worker_is_joined_again()
    {
        await source.JoinAsync(default);
        await bench.RestartAsync();
        bench.Roster.Has("w").ShouldBeFalse();

        await source.HeartbeatAsync("w", [], default);

        bench.Roster.Has("w").ShouldBeTrue();
        bench.Roster.Leave("w");
        var id = await bench.SubmitAsync();
        (await TakeAsync())!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task That_the_gateway_is_away_is_said_once_and_that_it_is_back()
    {
        await bench.StopHostAsync();
        var joining = source.JoinAsync(default);
        (await log.NextAsync().AsTask().WaitAsync(GatewayBench.Safety)).ShouldBe($"Warning The gateway at {bench.Address} does not answer; it is asked again until it does");

        await bench.StartHostAsync();
        await joining.WaitAsync(GatewayBench.Safety);

        (await log.NextAsync().AsTask().WaitAsync(GatewayBench.Safety)).ShouldBe($"Information The gateway at {bench.Address} answers again");
        await source.HeartbeatAsync("w", [], default);
        log.HasMore.ShouldBeFalse();
    }

    [Fact]
    public async Task A_gateway_that_is_away_for_a_while_is_waited_for()
    {
        await source.JoinAsync(default);
        await bench.SubmitAsync();
        var started = (await TakeAsync())!;
        await bench.StopHostAsync();
        var finishing = source.FinishAsync(started.Lease, SampleJobs.Done(), default);
        finishing.IsCompleted.ShouldBeFalse();
        await bench.StartHostAsync();

        (await finishing.WaitAsync(GatewayBench.Safety)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_wrong_token_is_refused_at_once_and_not_repeated_in_words()
    {
        using var stranger = Source("another-token-of-thirty-two-chars");

        var refusal = await Should.ThrowAsync<SpotterException>(stranger.JoinAsync(default));

        refusal.Code.ShouldBe(ErrorCodes.Unauthorized);
        refusal.ToString().ShouldNotContain("another-token");
        bench.Log.ShouldAllBe(l => !l.Contains("another-token") && !l.Contains(GatewayBench.Token));
    }

    [Fact]
    public async Task A_name_that_is_none_is_refused_with_its_reason()
    {
        using var odd = Source(GatewayBench.Token, name: "a/b c");

        (await Should.ThrowAsync<SpotterException>(odd.JoinAsync(default))).Message.ShouldContain("name");
    }

    [Fact]
    public async Task A_picture_that_is_gone_is_said_to_be()
    {
        await source.JoinAsync(default);
        await bench.SubmitAsync();
        var started = (await TakeAsync())!;
        await bench.Backend.Blobs.DeleteAsync(started.Job.Spec.Inputs[0].Key, default);

        (await Should.ThrowAsync<SpotterException>(source.OpenInputAsync(started, started.Job.Spec.Inputs[0], default))).Code.ShouldBe(ErrorCodes.BlobMissing);
    }

    [Fact]
    public async Task Who_says_farewell_leaves_no_lease_behind()
    {
        await source.JoinAsync(default);
        var id = await bench.SubmitAsync();
        await TakeAsync();

        await source.LeaveAsync(default);

        bench.Roster.Has("w").ShouldBeFalse();
        var row = (await bench.Jobs.FindAsync(id, default))!;
        (row.State, row.Attempts, row.Isolated).ShouldBe((JobState.Queued, 0, false));
    }

    [Fact]
    public async Task A_job_for_a_worker_that_hung_up_goes_to_the_next()
    {
        await source.JoinAsync(default);
        using var hangUp = new CancellationTokenSource();
        var taking = source.TakeAsync("w", [Queue], Wait, hangUp.Token);
        await hangUp.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(taking);
        using var other = Source(GatewayBench.Token, name: "other");
        await other.JoinAsync(default);

        var id = await bench.SubmitAsync();

        (await other.TakeAsync("other", [Queue], Wait, default))!.Job.Id.ShouldBe(id);
    }

    [Fact]
    public async Task A_gateway_that_answers_nothing_is_given_up_and_asked_again()
    {
        // Accepts connections and stays silent, as one whose machine has vanished.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var clock = new ManualClock();
        using var asking = new HttpJobSource(
            new Uri($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}"), GatewayBench.Token, "w", () => new WorkerJoin(1, []), clock, log);

        var beat = asking.HeartbeatAsync("w", [], default);
        var connections = 0;
        while (!beat.IsCompleted)
        {
            if (silent.Pending())
            {
                _ = silent.AcceptSocketAsync();
                connections++;
            }
            await Task.WhenAny(clock.WaitForTimersAsync(), beat).WaitAsync(GatewayBench.Safety);
            clock.Advance(TimeSpan.FromSeconds(5));
            await Task.WhenAny(beat, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        (await Should.ThrowAsync<SpotterException>(beat)).Code.ShouldBe(ErrorCodes.StoreUnavailable);
        connections.ShouldBeGreaterThan(1);
        (await log.NextAsync()).ShouldEndWith("does not answer; it is asked again until it does");
        log.HasMore.ShouldBeFalse("that is said once");
    }

    [Fact]
    public async Task Where_the_bucket_can_not_be_reached_the_gateway_is_asked_and_links_are_no_longer_wanted()
    {
        using var asking = new HttpJobSource(bench.Address, GatewayBench.Token, "w", () => new WorkerJoin(2, [.. models]), TimeProvider.System, log, BlobAccess.Links);
        await asking.JoinAsync(default);
        await bench.SubmitAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var link = $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/in?X-Amz-Signature=secret";
        silent.Stop();
        var started = (await asking.TakeAsync("w", [Queue], Wait, default))!;
        started.Links.ShouldBeNull("there is no bucket here");
        var input = started.Job.Spec.Inputs[0];
        started = started with { Links = new Dictionary<string, string>(StringComparer.Ordinal) { [input.Key] = link } };

        await using (var image = await asking.OpenInputAsync(started, input, default))
        {
            var bytes = new MemoryStream();
            await image.CopyToAsync(bytes);
            bytes.ToArray().ShouldBe(GatewayBench.Picture());
        }
        var line = await log.NextAsync();
        line.ShouldContain("--no-worker-links");
        line.ShouldNotContain("secret");
        silent.Start();
        (await asking.PutOutputAsync(started, new byte[10], default)).ShouldStartWith(BlobKey.OutputsPrefix);
        await using (await asking.OpenInputAsync(started, input, default))
        {
            silent.Pending().ShouldBeFalse("it is left alone");
        }
        log.HasMore.ShouldBeFalse("that is said once");
        bench.Log.ShouldNotContain(l => l.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_lent_is_read_and_removed_and_asked_for_where_it_is_not_there_or_cut()
    {
        using var folder = new TemporaryFolder();
        using var asking = new HttpJobSource(bench.Address, GatewayBench.Token, "w", () => new WorkerJoin(2, [.. models]), TimeProvider.System, log, BlobAccess.Files);
        await asking.JoinAsync(default);
        await bench.SubmitAsync();
        var started = (await asking.TakeAsync("w", [Queue], Wait, default))!;
        started.Files.ShouldBeNull("it was not started by this gateway, so it may be on any machine");
        var input = started.Job.Spec.Inputs[0];
        var other = GatewayBench.Picture().Select(b => (byte)~b).ToArray();
        started = started with { Files = new Dictionary<string, string>(StringComparer.Ordinal) { [input.Key] = folder.File("lent") } };

        File.WriteAllBytes(folder.File("lent"), other);
        (await ReadAsync()).ShouldBe(other);
        File.Exists(folder.File("lent")).ShouldBeFalse();
        (await ReadAsync()).ShouldBe(GatewayBench.Picture());
        File.WriteAllBytes(folder.File("lent"), other[1..]);
        (await ReadAsync()).ShouldBe(GatewayBench.Picture());

        async Task<byte[]> ReadAsync()
        {
            await using var image = await asking.OpenInputAsync(started, input, default);
            var bytes = new MemoryStream();
            await image.CopyToAsync(bytes);
            return bytes.ToArray();
        }
    }

    [Theory]
    [InlineData("v1/workers/w/input", true)]
    [InlineData("v1/nothing", false)]
    public async Task A_bucket_that_refuses_a_worker_is_left_alone_and_one_without_the_picture_is_not(string refusing, bool isLeft)
    {
        using var asking = new HttpJobSource(bench.Address, GatewayBench.Token, "w", () => new WorkerJoin(2, [.. models]), TimeProvider.System, log, BlobAccess.Links);
        await asking.JoinAsync(default);
        await bench.SubmitAsync();
        var started = (await asking.TakeAsync("w", [Queue], Wait, default))!;
        var input = started.Job.Spec.Inputs[0];
        // The one answers 401, the other 404.
        started = started with { Links = new Dictionary<string, string>(StringComparer.Ordinal) { [input.Key] = new Uri(bench.Address, refusing).ToString() } };

        await using (var image = await asking.OpenInputAsync(started, input, default))
        {
            var bytes = new MemoryStream();
            await image.CopyToAsync(bytes);
            bytes.ToArray().ShouldBe(GatewayBench.Picture());
        }

        log.HasMore.ShouldBe(isLeft);
    }

    private Task<StartedJob?> TakeAsync() => source.TakeAsync("w", [Queue], Wait, default);

    private async Task<StartedJob?> JoinedTakeAsync(TimeSpan wait)
    {
        await source.JoinAsync(default);
        return await source.TakeAsync("w", [Queue], wait, default);
    }

    private HttpJobSource Source(string token, string name = "w") =>
        new(bench.Address, token, name, () => new WorkerJoin(2, [.. models]), TimeProvider.System, log);

    /// <summary>What is logged, to be waited for.</summary>
    private sealed class LogLines : ILogger<HttpJobSource>
    {
        private readonly Channel<string> lines = Channel.CreateUnbounded<string>();

        public ValueTask<string> NextAsync() => lines.Reader.ReadAsync();

        public bool HasMore => lines.Reader.TryPeek(out _);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Writer.TryWrite($"{logLevel} {formatter(state, exception)}");
    }
}
