using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Cli.Bridge;
using Spotter.Core;
using Spotter.Gateway.LegacyMessages;
using Spotter.Jobs;

namespace Spotter.Tests.Cli.Bridge;

/// <summary>Bridges that read one queue, which gives everything to the one that asked last: the order in which each result goes round longest.</summary>
public sealed class MailWorkersTests : IAsyncDisposable
{
    private readonly ManualClock clock = new();
    private readonly LastComeQueue queue = new();
    private readonly CancellationTokenSource end = new();
    private readonly List<Task> readers = [];

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(readers);
        end.Dispose();
    }

    [Fact]
    public async Task A_result_reaches_the_bridge_that_asked_whoever_reads_first()
    {
        var bridges = new List<MailWorkers>();
        for (var i = 0; i < 3; i++)
        {
            bridges.Add(Bridge());
            await queue.ReadersAsync(i + 1);
        }
        var asked = bridges[0].AskAsync("a.jpg", end.Token);

        queue.Put(Answer(queue.Sent.ShouldHaveSingleItem()));

        (await asked).ShouldBeOfType<OldAnswer.Found>();
        queue.Returns.ShouldBe([TimeSpan.Zero, TimeSpan.Zero]);
        queue.Left.ShouldBe(0);
        // The two that stood back read again.
        await clock.WaitForTimersAsync(2);
        clock.Advance(TimeSpan.FromSeconds(2));
        await queue.ReadersAsync(3);
    }

    [Fact]
    public async Task A_result_that_nobody_wants_is_hidden_after_some_turns_and_holds_nobody_up()
    {
        var bridge = Bridge();
        await queue.ReadersAsync(1);

        queue.Put("""{"message":{"chat":{"id":"5"},"status_code":404,"text":""}}""");
        for (var turn = 1; turn <= 10; turn++)
        {
            await clock.WaitForTimersAsync(1);
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        // No pause after this one.
        await queue.ReadersAsync(1);
        queue.Returns.ShouldBe([.. Enumerable.Repeat(TimeSpan.Zero, 10), TimeSpan.FromSeconds(10)]);
        var asked = bridge.AskAsync("a.jpg", end.Token);
        queue.Put(Answer(queue.Sent.ShouldHaveSingleItem()));
        (await asked).ShouldBeOfType<OldAnswer.Found>();
    }

    private static string Answer(string request) =>
        $$$"""{"message":{"chat":{"id":"{{{JsonDocument.Parse(request).RootElement.GetProperty("chatId").GetString()}}}"},"status_code":404,"text":""}}""";

    private MailWorkers Bridge()
    {
        var settings = new LegacySettings { Service = LegacyService.S2, RequestQueue = "requests", ResultQueue = "results", Bucket = "pictures" };
        var bridge = new MailWorkers(settings, MailForm.S2, queue, TimeSpan.FromMinutes(5), clock, RandomSource.System, NullLogger<MailWorkers>.Instance);
        readers.Add(bridge.ReadAsync(end.Token));
        return bridge;
    }

    /// <summary>One queue of results in memory.</summary>
    private sealed class LastComeQueue : ILegacyPost
    {
        private readonly Lock gate = new();
        private readonly Stack<TaskCompletionSource<IReadOnlyList<LegacyMessage>>> waiting = new();
        private readonly Queue<LegacyMessage> visible = new();
        private readonly Dictionary<string, LegacyMessage> taken = new(StringComparer.Ordinal);
        private readonly List<(int Count, TaskCompletionSource Reached)> watchers = [];
        private int ids;

        public List<string> Sent { get; } = [];

        public List<TimeSpan> Returns { get; } = [];

        public int Left
        {
            get
            {
                lock (gate)
                    return visible.Count + taken.Count;
            }
        }

        public void Put(string body)
        {
            lock (gate)
                Show(new LegacyMessage($"m{++ids}", body, $"r{ids}"));
        }

        /// <summary>Completes once so many wait for messages.</summary>
        public Task ReadersAsync(int count)
        {
            lock (gate)
            {
                if (waiting.Count >= count)
                    return Task.CompletedTask;
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                watchers.Add((count, reached));
                return reached.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
            }
        }

        public Task<IReadOnlyList<LegacyMessage>> ReceiveAsync(string queue, TimeSpan wait, CancellationToken cancel)
        {
            var reader = new TaskCompletionSource<IReadOnlyList<LegacyMessage>>(TaskCreationOptions.RunContinuationsAsynchronously);
            cancel.Register(() => reader.TrySetCanceled(cancel));
            lock (gate)
            {
                waiting.Push(reader);
                if (visible.TryDequeue(out var message))
                    Show(message);
                foreach (var watcher in watchers.FindAll(w => waiting.Count >= w.Count))
                    watcher.Reached.TrySetResult();
            }
            return reader.Task;
        }

        public Task DeleteAsync(string queue, LegacyMessage message, CancellationToken cancel)
        {
            lock (gate)
                taken.Remove(message.Receipt);
            return Task.CompletedTask;
        }

        public Task ReturnAsync(string queue, LegacyMessage message, TimeSpan after, CancellationToken cancel)
        {
            lock (gate)
            {
                Returns.Add(after);
                // What is hidden stays so here.
                if (taken.Remove(message.Receipt) && after == TimeSpan.Zero)
                    Show(message);
            }
            return Task.CompletedTask;
        }

        public Task<string> SendAsync(string queue, string body, CancellationToken cancel)
        {
            lock (gate)
                Sent.Add(body);
            return Task.FromResult("sent");
        }

        public Task<bool> HasDeadLettersAsync(string queue, CancellationToken cancel) => throw new NotSupportedException();

        public Task<LegacyObjectInfo?> FindAsync(string bucket, string key, CancellationToken cancel) => throw new NotSupportedException();

        public Task<LegacyObject?> GetAsync(string bucket, string key, long most, CancellationToken cancel) => throw new NotSupportedException();

        public Task PutAsync(string bucket, string key, ReadOnlyMemory<byte> content, string mediaType, string mark, CancellationToken cancel) => throw new NotSupportedException();

        public Task PutRowAsync(string table, LegacyRow row, CancellationToken cancel) => throw new NotSupportedException();

        public Task<IReadOnlyList<LegacyLabel>?> FindLabelsAsync(string table, string predictionId, CancellationToken cancel) => throw new NotSupportedException();

        public Task CheckAsync(LegacyPart part, CancellationToken cancel) => throw new NotSupportedException();

        private void Show(LegacyMessage message)
        {
            if (!waiting.TryPop(out var last))
            {
                visible.Enqueue(message);
                return;
            }
            var received = message with { Received = message.Received + 1 };
            taken[message.Receipt] = received;
            last.TrySetResult([received]);
        }
    }
}
