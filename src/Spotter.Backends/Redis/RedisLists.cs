using System.Globalization;
using Spotter.Core;
using Spotter.Jobs;
using StackExchange.Redis;

namespace Spotter.Backends.Redis;

/// <summary>The lists in the server, by the scripts that keep them in step.</summary>
internal sealed class RedisLists : IAsyncDisposable
{
    /// <summary>Entries in one call of a script, so that it holds nobody up for long.</summary>
    private const int MostEntries = 500;

    private const string Other = "other";
    private const string WholeStatus = "whole";

    private static readonly RedisValue[] Levels = [.. Enum.GetValues<JobPriority>().Select(level => (RedisValue)(int)level)];

    private readonly ConnectionMultiplexer connection;
    private readonly IDatabase database;
    private readonly string storeId;
    private readonly string place;

    private RedisLists(ConnectionMultiplexer connection, string storeId, string place)
    {
        (this.connection, this.storeId, this.place) = (connection, storeId, place);
        database = connection.GetDatabase();
        connection.ConnectionRestored += (_, _) => Reconnected?.Invoke();
    }

    /// <summary>Called when the server is there again: it may have lost something.</summary>
    public Action? Reconnected { get; set; }

    /// <summary>Reaches the server, or goes on trying.</summary>
    public static async Task<RedisLists> OpenAsync(ConfigurationOptions address, string storeId) =>
        new(await ConnectAsync(address), storeId, RedisAddress.Describe(address));

    /// <summary>Opens connections to the server, or goes on trying.</summary>
#pragma warning disable RS0030 // The one place; its TLS comes from Outgoing.
    public static async Task<ConnectionMultiplexer> ConnectAsync(ConfigurationOptions address) => await ConnectionMultiplexer.ConnectAsync(address);
#pragma warning restore RS0030

    /// <summary>Ids of jobs that are due, as <see cref="IJobDelivery.NextAsync"/> has it.</summary>
    public async Task<(bool IsWhole, DeliveredIds Delivered)> TakeAsync(IReadOnlyList<TakeRequest> requests, long now)
    {
        var hidden = now + Microseconds.From(requests.Max(r => r.Duration));
        List<RedisValue> arguments = [RedisEntry.Number(hidden), RedisScripts.MostMoved];
        foreach (var request in requests)
        {
            arguments.Add(request.Workers.Count);
            var queues = request.Queues.Distinct(StringComparer.Ordinal).ToList();
            arguments.Add(queues.Count);
            arguments.AddRange(queues.Select(queue => (RedisValue)queue));
            arguments.Add(request.Levels.Count);
            arguments.AddRange(request.Levels.Select(level => (RedisValue)(int)level));
        }
        var answer = await RunAsync(RedisScripts.Take, now, arguments);
        var ids = new List<IReadOnlyList<JobId>>();
        var due = new List<DateTimeOffset?>();
        for (var i = 1; i < answer.Length; i += 2)
        {
            ids.Add([.. ((RedisValue[])answer[i]!).Select(id => JobId.Parse(id!))]);
            due.Add((string)answer[i + 1]! is { Length: > 0 } next ? Microseconds.ToTime(Math.Max(now + 1, ToNumber(next))) : null);
        }
        return (IsWhole(answer), new DeliveredIds(ids, due));
    }

    /// <summary>Tells the lists where jobs stand; true when they are whole.</summary>
    public async Task<bool> ApplyAsync(IEnumerable<RedisEntry> entries, long now)
    {
        // Sent one behind the other, without waiting in between.
        var answers = await Task.WhenAll(entries.Chunk(MostEntries).Select(some => RunAsync(
            RedisScripts.Apply, now, some.SelectMany(e => (RedisValue[])[e.Id.Value, e.What, e.Value, RedisEntry.Number(e.HiddenUntil), e.Known]))));
        return answers.All(IsWhole);
    }

    /// <summary>Lets what is due come to be due, and what has expired go.</summary>
    public async Task<RedisTick> TickAsync(long now)
    {
        var answer = await RunAsync(RedisScripts.Tick, now, [RedisScripts.MostMoved]);
        var hidden = (RedisValue[])answer[3]!;
        return new RedisTick(
            IsWhole(answer), (long)answer[1] == 1, (string)answer[2]! is { Length: > 0 } next ? ToNumber(next) : null,
            [.. Enumerable.Range(0, hidden.Length / 2).Select(i => (JobId.Parse(hidden[2 * i]!), (string)hidden[(2 * i) + 1]!))]);
    }

    /// <summary>How many wait, by queue.</summary>
    public async Task<IReadOnlyList<RedisCount>> CountAsync(long now)
    {
        var answer = await RunAsync(RedisScripts.Count, now, Levels);
        return [.. Enumerable.Range(0, (answer.Length - 1) / 4).Select(i => (i * 4) + 1)
            .Select(i => new RedisCount((string)answer[i]!, (long)answer[i + 1], (long)answer[i + 2], (long)answer[i + 3]))];
    }

    /// <summary>A page of the jobs that wait, each with its value, and where the next one begins; 0 when there is none.</summary>
    public async Task<(IReadOnlyList<(JobId Id, string Value)> Entries, long Next)> ScanAsync(long cursor, int count)
    {
        var answer = (RedisResult[])(await TryAsync(() => database.ExecuteAsync("HSCAN", RedisScripts.Jobs, cursor, "COUNT", count)))!;
        var found = (RedisValue[])answer[1]!;
        return ([.. Enumerable.Range(0, found.Length / 2).Select(i => (JobId.Parse(found[2 * i]!), (string)found[(2 * i) + 1]!))], (long)answer[0]);
    }

    /// <summary>Writes what is only there as long as nothing is lost; see <see cref="SetWholeAsync"/>.</summary>
    public Task BeginAsync(string mark) => TryAsync(() => database.StringSetAsync(mark, "", TimeSpan.FromDays(1)));

    /// <summary>Says that the lists are whole, unless they were lost since <see cref="BeginAsync"/>; true when they are.</summary>
    public async Task<bool> SetWholeAsync(string mark, long now) => IsWhole(await RunAsync(RedisScripts.Whole, now, [mark]));

    /// <summary>Forgets everything.</summary>
    public Task ResetAsync(long now) => RunAsync(RedisScripts.Reset, now, Levels);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static bool IsWhole(RedisResult[] answer) => (string)answer[0]! == WholeStatus;

    private static long ToNumber(string text) => (long)double.Parse(text, CultureInfo.InvariantCulture);

    private async Task<RedisResult[]> RunAsync(string script, long now, IEnumerable<RedisValue> arguments)
    {
        RedisValue[] all = [storeId, RedisEntry.Number(now), .. arguments];
        var answer = (RedisResult[])(await TryAsync(() => database.ScriptEvaluateAsync(script, [], all)))!;
        return (string)answer[0]! != Other ? answer : throw new SpotterException(
            ErrorCodes.StoreUnavailable,
            $"The Redis database at {place} holds the lists of another job store; give each its own, as in redis://host:6379/1. If the other one is no more, delete the key {RedisScripts.Store}.");
    }

    private static async Task<T> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (RedisFault.IsFault(e))
        {
            throw RedisFault.ToRefusal(e);
        }
    }
}

/// <summary>What a tick found.</summary>
/// <param name="IsWhole">False when the lists were lost.</param>
/// <param name="HasMore">There is more to do at once.</param>
/// <param name="Next">When there is something to do next; null when nothing is known.</param>
/// <param name="Hidden">Jobs that were hidden until now, each with its time.</param>
internal sealed record RedisTick(bool IsWhole, bool HasMore, long? Next, IReadOnlyList<(JobId Id, string Until)> Hidden);

/// <summary>How many wait in a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Listed">The length of its list.</param>
/// <param name="Ordered">How many should be in it.</param>
/// <param name="Delayed">How many are not due.</param>
internal sealed record RedisCount(string Queue, long Listed, long Ordered, long Delayed);
