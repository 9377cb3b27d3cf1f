using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Npgsql;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Postgres;

/// <summary>
/// What gateways tell each other through <c>NOTIFY</c>: which jobs have changed, and in which queues a job became due. All
/// of it may get lost, so everybody also looks from time to time. Sent beside the changes, not with them: a transaction
/// that notifies makes all others that do wait for its flush.
/// </summary>
internal sealed class PostgresSignals : IAsyncDisposable
{
    /// <summary>Changes that a slow reader may be behind before it misses some.</summary>
    private const int ChangesBehind = 4096;

    /// <summary>Changes that wait to be sent; more are left out.</summary>
    private const int MostUnsent = 50_000;

    /// <summary>Bytes of one notification; the server takes less than 8,000.</summary>
    private const int PayloadBytes = 7_500;

    private const char Greeting = 'g';
    private const char Presence = 'p';
    private const char Jobs = 'j';
    private const char Queues = 'q';
    private const char Outbox = 'o';

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PresenceEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CompanyLasts = TimeSpan.FromSeconds(35);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(500);

    private readonly PostgresDatabase database;
    private readonly ServerClock? clock;
    private readonly string channel;
    private readonly string self;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource ended = new();
    private readonly SemaphoreSlim unsent = new(0, 1);
    private readonly Task listening;
    private readonly Task sending;
    private Reader[] readers = [];
    private List<JobId> changed = [];
    private HashSet<string> filled = new(StringComparer.Ordinal);
    private StringBuilder words = new();
    private long companyAt = long.MinValue;

    /// <summary>Begins to listen and to tell.</summary>
    /// <param name="database">The way to the server.</param>
    /// <param name="clock">Kept in step with the server; null when time is not the server's.</param>
    /// <param name="random">Makes the name by which this gateway knows what it said itself.</param>
    public PostgresSignals(PostgresDatabase database, ServerClock? clock, RandomSource random)
    {
        this.database = database;
        this.clock = clock;
        channel = database.Schema;
        self = random.NextHex(4);
        listening = Task.Run(ListenAlwaysAsync);
        sending = Task.Run(SendAlwaysAsync);
    }

    /// <summary>Called when entries were added to the outbox, here or by another gateway.</summary>
    public Action? OutboxFilled { get; set; }

    /// <summary>True while other gateways are known to listen.</summary>
    private bool HasCompany => Volatile.Read(ref companyAt) is var at and not long.MinValue && Stopwatch.GetElapsedTime(at) < CompanyLasts;

    /// <summary>Tells this gateway's readers, and the other gateways, what has changed.</summary>
    public void Changed(IReadOnlyCollection<JobChange> changes)
    {
        Publish(changes);
        if (!HasCompany)
            return;
        lock (gate)
        {
            if (changed.Count < MostUnsent)
                changed.AddRange(changes.Select(c => c.Job).OfType<JobId>());
            filled.UnionWith(changes.Select(c => c.Queue).OfType<string>());
        }
        WakeSender();
    }

    /// <summary>Tells this gateway's senders, and the other gateways, that entries were added to the outbox.</summary>
    public void FilledOutbox()
    {
        OutboxFilled?.Invoke();
        if (HasCompany)
            Say(Outbox);
    }

    /// <summary>What changes, here or through another gateway.</summary>
    public async IAsyncEnumerable<JobChange> ChangesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new Reader();
        lock (gate)
            readers = [.. readers, reader];
        try
        {
            await foreach (var change in reader.Changes.ReadAllAsync(cancel))
            {
                if (reader.HasMissed())
                    yield return JobChange.Missed;
                yield return change;
            }
        }
        finally
        {
            lock (gate)
                readers = [.. readers.Where(r => r != reader)];
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await Task.WhenAll(listening, sending);
        ended.Dispose();
        unsent.Dispose();
    }

    private void Publish(IEnumerable<JobChange> changes)
    {
        foreach (var reader in Volatile.Read(ref readers))
        {
            foreach (var change in changes)
                reader.Write(change);
        }
    }

    private void WakeSender()
    {
        lock (gate)
        {
            if (unsent.CurrentCount == 0)
                unsent.Release();
        }
    }

    private void Say(char word)
    {
        lock (gate)
            words.Append(word);
        WakeSender();
    }

    private async Task SendAlwaysAsync()
    {
        try
        {
            while (true)
            {
                if (!await unsent.WaitAsync(PresenceEvery, ended.Token))
                    Say(Presence);
                if (Payloads() is { Count: > 0 } payloads)
                {
                    await SendAsync(payloads);
                    // So that what comes meanwhile goes together.
                    await Task.Delay(Pace, TimeProvider.System, ended.Token);
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task SendAsync(List<string> payloads)
    {
        try
        {
            var asked = clock?.Own;
            await database.ApplyAsync(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_notify($1, said) FROM unnest($2::text[]) AS said",
                p => p.With(channel).With(payloads.ToArray()),
                async r =>
                {
                    if (await r.ReadAsync() && asked is { } then)
                        clock!.Set(Microseconds.ToTime(r.GetInt64(0)), then, clock.Own);
                    return true;
                });
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            // Whoever misses it looks from time to time.
        }
    }

    /// <summary>What is to be said, in pieces that the server takes.</summary>
    private List<string> Payloads()
    {
        List<JobId> ids;
        HashSet<string> queues;
        StringBuilder said;
        lock (gate)
        {
            (ids, changed) = (changed, []);
            (queues, filled) = (filled, new(StringComparer.Ordinal));
            (said, words) = (words, new());
        }
        var payloads = new List<string>();
        foreach (var word in said.ToString().Distinct())
            payloads.Add(self + word);
        Pack(Jobs, ids.Distinct().Select(id => id.Value), payloads);
        Pack(Queues, queues, payloads);
        return payloads;
    }

    private void Pack(char word, IEnumerable<string> items, List<string> payloads)
    {
        var payload = new StringBuilder();
        var bytes = 0;
        foreach (var item in items)
        {
            var more = Encoding.UTF8.GetByteCount(item) + 1;
            if (more > PayloadBytes - self.Length - 1)
                continue;
            if (payload.Length == 0 || bytes + more > PayloadBytes)
            {
                if (payload.Length > 0)
                    payloads.Add(payload.ToString());
                payload.Clear().Append(self).Append(word);
                bytes = payload.Length;
            }
            payload.Append(item).Append('\n');
            bytes += more;
        }
        if (payload.Length > 0)
            payloads.Add(payload.ToString());
    }

    private async Task ListenAlwaysAsync()
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(ended.Token);
            }
            catch (Exception) when (ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (PostgresFault.IsFault(e))
            {
                // Meanwhile everybody looks from time to time.
            }
            try
            {
                await Task.Delay(ReconnectAfter, TimeProvider.System, ended.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(CancellationToken cancel)
    {
        await using var connection = await database.ListenAsync(cancel);
        connection.Notification += (_, said) => Hear(said.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
            await listen.ExecuteNonQueryAsync(cancel);
        Say(Greeting);
        // Something may have been said before we listened.
        Publish([JobChange.Missed]);
        // This gateway's own presence is heard, too.
        while (await connection.WaitAsync(LongestSilence, cancel))
            continue;
        throw new IOException("The connection for notifications hears nothing any more.");
    }

    private void Hear(string payload)
    {
        if (payload.Length <= self.Length || payload.StartsWith(self, StringComparison.Ordinal))
            return;
        Volatile.Write(ref companyAt, Stopwatch.GetTimestamp());
        var items = payload.AsSpan(self.Length + 1).ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        switch (payload[self.Length])
        {
            case Greeting:
                Say(Presence);
                break;
            case Jobs:
                Publish([.. items.Where(i => JobId.TryParse(i, out _)).Select(i => new JobChange(JobId.Parse(i), null))]);
                break;
            case Queues:
                Publish([.. items.Select(queue => new JobChange(null, queue))]);
                break;
            case Outbox:
                OutboxFilled?.Invoke();
                break;
            default:
                break;
        }
    }

    /// <summary>Somebody who follows the changes; of those that it is too far behind to hear the oldest are left out.</summary>
    private sealed class Reader
    {
        private readonly Channel<JobChange> changes;
        private int missed;

        public Reader() => changes = Channel.CreateBounded<JobChange>(
            new BoundedChannelOptions(ChangesBehind) { FullMode = BoundedChannelFullMode.DropOldest }, _ => Volatile.Write(ref missed, 1));

        public ChannelReader<JobChange> Changes => changes.Reader;

        public void Write(JobChange change) => changes.Writer.TryWrite(change);

        /// <summary>True when something was left out since the last time.</summary>
        public bool HasMissed() => Interlocked.Exchange(ref missed, 0) == 1;
    }
}
