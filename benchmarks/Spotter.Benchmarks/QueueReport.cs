namespace Spotter.Benchmarks;

/// <summary>The queue alone, three times.</summary>
internal static class QueueReport
{
    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine("queue alone: take + finish, in process, every change durable (target 15,000/s)");
        var rates = new List<double>();
        for (var run = 0; run < 3; run++)
        {
            var figures = await QueueThroughput.RunAsync(TimeSpan.FromSeconds(options.Seconds));
            rates.Add(figures.JobsPerSecond);
            Console.WriteLine($"  {figures.JobsPerSecond,8:0} jobs/s with {figures.Loops} loops; rows made at {figures.AcceptedPerSecond:0}/s");
        }
        rates.Sort();
        Console.WriteLine($"  median {rates[1]:0} jobs/s = {rates[1] / 15_000:0.00} of the target");
    }
}
