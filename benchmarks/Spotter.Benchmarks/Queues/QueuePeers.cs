using System.Globalization;
using System.Text.Json;
using Spotter.Benchmarks.Results;

namespace Spotter.Benchmarks.Queues;

/// <summary>
/// Spotter's queues beside those of other projects, on this machine and one after the other in this run: jobs that do
/// nothing, 50 calls in flight. They are taken in rounds of 5,000, so that few wait, and where many wait.
/// </summary>
internal static class QueuePeers
{
    private const int InFlight = 50;
    private const int Round = 5_000;
    private const int WaitingPerSecond = 70_000;

    private sealed record Row(string Name, double OneByOne, double Batches, double SmallBacklog, double LargeBacklog, string Durable);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine($"{"queues, jobs that do nothing per second",-42}{"added one by one",18}{"in batches of 500",19}{"taken + finished",18}{"where many wait",18}  durable");
        await PrintAsync("sqlite", () => MeasureAsync(QueuePlace.Sqlite, options.Seconds));
        await PrintOnPostgresAsync(options.Seconds);
        await PrintPeerAsync("postgres", "pg-boss", options.Seconds);
        await PrintPeerAsync("redis", "bullmq", options.Seconds);
    }

    private static async Task PrintOnPostgresAsync(double seconds)
    {
        if (await PrivateServer.StartAsync("postgres") is not { } server)
            return;
        await using (server)
        {
            var places = 0;
            await PrintAsync("postgres", () => MeasureAsync(() => QueuePlace.Postgres(server, $"place_{places++}"), seconds));
        }
    }

    private static async Task<Row> MeasureAsync(Func<QueuePlace> place, double seconds)
    {
        var duration = TimeSpan.FromSeconds(seconds);
        double oneByOne;
        using (var empty = place())
            oneByOne = await QueueThroughput.EnqueueAsync(empty, duration, InFlight);
        double rounds;
        using (var small = place())
            rounds = await QueueThroughput.RoundsAsync(small, duration, InFlight, Round);
        using var filled = place();
        var figures = await QueueThroughput.RunAsync(filled, duration, InFlight, WaitingPerSecond);
        return new Row(filled.Name, oneByOne, figures.AcceptedPerSecond, rounds, figures.JobsPerSecond, "fsync before the answer");
    }

    private static async Task PrintPeerAsync(string server, string peer, double seconds)
    {
        if (await PrivateServer.StartAsync(server) is not { } running)
            return;
        await using (running)
        {
            await PrintAsync(peer.Replace("-", "", StringComparison.Ordinal), () =>
            {
                var answer = JsonDocument.Parse(Peers.Run(
                    "queues.mjs", peer, running.Port.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture),
                    (seconds * WaitingPerSecond).ToString(CultureInfo.InvariantCulture))).RootElement;
                double Number(string name) => answer.GetProperty(name).GetDouble();
                return Task.FromResult(new Row(
                    answer.GetProperty("name").GetString()!, Number("oneByOne"), Number("batches"), Number("smallBacklog"), Number("largeBacklog"), answer.GetProperty("durable").GetString()!));
            });
        }
    }

    private static async Task PrintAsync(string figures, Func<Task<Row>> measure)
    {
        var row = await measure();
        FigureRecorder.Note("peers-queue", $"{figures}.oneByOne", row.OneByOne);
        FigureRecorder.Note("peers-queue", $"{figures}.batches", row.Batches);
        FigureRecorder.Note("peers-queue", $"{figures}.smallBacklog", row.SmallBacklog);
        FigureRecorder.Note("peers-queue", $"{figures}.largeBacklog", row.LargeBacklog);
        Console.WriteLine($"{row.Name,-42}{row.OneByOne,18:0}{row.Batches,19:0}{row.SmallBacklog,18:0}{row.LargeBacklog,18:0}  {row.Durable}");
    }
}
