using System.Globalization;
using System.Text.Json;

namespace Spotter.Benchmarks.Queues;

/// <summary>
/// Spotter's queues beside those of other projects, on this machine and one after the other in this run: jobs that do
/// nothing, 50 calls in flight.
/// </summary>
internal static class QueuePeers
{
    private const int InFlight = 50;

    private sealed record Row(string Name, double OneByOne, double Batches, double Processed, string Durable);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine($"{"queues, jobs that do nothing per second",-42}{"added one by one",18}{"in batches of 500",19}{"taken + finished",18}  durable");
        await PrintAsync(() => MeasureAsync(QueuePlace.Sqlite, options.Seconds));
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
            await PrintAsync(() => MeasureAsync(() => QueuePlace.Postgres(server, $"place_{places++}"), seconds));
        }
    }

    private static async Task<Row> MeasureAsync(Func<QueuePlace> place, double seconds)
    {
        var duration = TimeSpan.FromSeconds(seconds);
        double oneByOne;
        using (var empty = place())
            oneByOne = await QueueThroughput.EnqueueAsync(empty, duration, InFlight);
        using var filled = place();
        var figures = await QueueThroughput.RunAsync(filled, duration, InFlight);
        return new Row(filled.Name, oneByOne, figures.AcceptedPerSecond, figures.JobsPerSecond, "fsync before the answer");
    }

    private static async Task PrintPeerAsync(string server, string peer, double seconds)
    {
        if (await PrivateServer.StartAsync(server) is not { } running)
            return;
        await using (running)
        {
            await PrintAsync(() =>
            {
                var answer = JsonDocument.Parse(Peers.Run(
                    "queues.mjs", peer, running.Port.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture))).RootElement;
                double Number(string name) => answer.GetProperty(name).GetDouble();
                return Task.FromResult(new Row(
                    answer.GetProperty("name").GetString()!, Number("oneByOne"), Number("batches"), Number("processed"), answer.GetProperty("durable").GetString()!));
            });
        }
    }

    private static async Task PrintAsync(Func<Task<Row>> measure)
    {
        var row = await measure();
        Console.WriteLine($"{row.Name,-42}{row.OneByOne,18:0}{row.Batches,19:0}{row.Processed,18:0}  {row.Durable}");
    }
}
