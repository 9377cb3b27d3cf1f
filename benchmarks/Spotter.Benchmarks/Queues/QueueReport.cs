using Spotter.Benchmarks.Results;

namespace Spotter.Benchmarks.Queues;

/// <summary>The queue alone, in this process: how many jobs become durable one by one, and how many are taken and finished.</summary>
internal static class QueueReport
{
    private const int Callers = 64;
    private const int Runs = 3;
    private const double EnqueueTarget = 10_000;
    private const double FinishTarget = 15_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        Console.WriteLine();
        Console.WriteLine($"queue alone: jobs accepted one by one by {Callers} callers, each durable before its call returns (target {EnqueueTarget:0}/s)");
        var rates = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            using var place = QueuePlace.Sqlite();
            rates.Add(await QueueThroughput.EnqueueAsync(place, TimeSpan.FromSeconds(options.Seconds), Callers));
            Console.WriteLine($"  {rates[^1],8:0} jobs/s");
        }
        PrintMedian("acceptedPerSecond", rates, EnqueueTarget);

        Console.WriteLine();
        Console.WriteLine($"queue alone: take + finish, every change durable (target {FinishTarget:0}/s)");
        rates.Clear();
        for (var run = 0; run < Runs; run++)
        {
            using var place = QueuePlace.Sqlite();
            var figures = await QueueThroughput.RunAsync(place, TimeSpan.FromSeconds(options.Seconds));
            rates.Add(figures.JobsPerSecond);
            FigureRecorder.Note("queue", "processorMicroseconds", figures.ProcessorMicroseconds);
            Console.WriteLine($"  {figures.JobsPerSecond,8:0} jobs/s with {figures.Loops} loops; {figures.ProcessorMicroseconds:0} µs of processor time per job; rows made at {figures.AcceptedPerSecond:0}/s");
        }
        PrintMedian("finishedPerSecond", rates, FinishTarget);
    }

    private static void PrintMedian(string figure, List<double> rates, double target)
    {
        rates.Sort();
        FigureRecorder.Note("queue", figure, rates[Runs / 2]);
        Console.WriteLine($"  median {rates[Runs / 2]:0} jobs/s = {rates[Runs / 2] / target:0.00} of the target");
    }
}
