using Spotter.Benchmarks.Results;

namespace Spotter.Benchmarks.Queues;

/// <summary>The queue alone over PostgreSQL, three times, on a server of our own on the same cores, its settings as they come and fsync on.</summary>
internal static class PostgresReport
{
    private const double Target = 8_000;
    private const int MadePerSecond = 60_000;
    private const int Runs = 3;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine($"queue over PostgreSQL: take + finish, server on the same cores, every result durable (target {Target:0}/s)");
        if (await PrivateServer.StartAsync("postgres") is not { } server)
            return;
        await using (server)
        {
            foreach (var loops in (int[])[64, 512])
            {
                var rates = new List<double>();
                for (var run = 0; run < Runs; run++)
                {
                    using var place = QueuePlace.Postgres(server, $"run_{loops}_{run}");
                    var figures = await QueueThroughput.RunAsync(place, TimeSpan.FromSeconds(options.Seconds), loops, MadePerSecond);
                    rates.Add(figures.JobsPerSecond);
                    Console.WriteLine($"  {figures.JobsPerSecond,8:0} jobs/s with {figures.Loops} loops; rows made at {figures.AcceptedPerSecond:0}/s");
                }
                rates.Sort();
                FigureRecorder.Note("postgres", $"finishedPerSecond.{loops}", rates[Runs / 2]);
                Console.WriteLine($"  median {rates[Runs / 2]:0} jobs/s with {loops} loops = {rates[Runs / 2] / Target:0.00} of the target");
            }
        }
    }
}
