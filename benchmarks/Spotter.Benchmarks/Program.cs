using Spotter.Benchmarks;
using Spotter.Benchmarks.Growth;
using Spotter.Benchmarks.Queues;
using Spotter.Benchmarks.Results;

// Prints what docs/performance.md lists: every figure of one run, measured side by side.
if (args is ["docs"])
{
    FigurePage.Write(BenchmarkOptions.Repository());
    return 0;
}
var options = BenchmarkOptions.Parse(args);
if (options is null)
    return 2;

var picture = new FileInfo(options.Image);
Console.WriteLine($"{Environment.ProcessorCount} cores, {Path.GetFileName(options.Model)}, {picture.Name} ({(picture.Exists ? picture.Length / 1000 : 0)} KB), {options.Seconds} s per figure");
Report? parts = null;
try
{
    foreach (var part in options.Parts)
    {
        switch (part)
        {
            case "parts":
                parts = PartTimes.Run(options);
                break;
            case "micro":
                Spotter.Benchmarks.Micro.MicroReport.Run(options);
                break;
            case "peers":
                AnnotatePeer.Run(options);
                break;
            case "queue":
                await QueueReport.RunAsync(options);
                break;
            case "postgres":
                await PostgresReport.RunAsync(options);
                break;
            case "peers-queue":
                await QueuePeers.RunAsync(options);
                break;
            case "selftest":
                await SelfTest.RunAsync(options.Plant);
                break;
            case "growth":
                await GrowthReport.RunAsync(options);
                break;
            case "burst":
                await BurstReport.RunAsync();
                break;
            case "crowd":
                await CrowdReport.RunAsync();
                break;
            case "large":
                await LargeReport.RunAsync(options);
                break;
            case "latency":
                await LatencyReport.RunAsync(options, parts ??= PartTimes.Run(options));
                break;
            case "scaling":
                await ScalingReport.RunAsync(options);
                break;
            case "accept":
                await AcceptRate.RunAsync(options);
                break;
            default:
                await ServiceThroughput.RunAsync(options, parts ?? PartTimes.Run(options));
                break;
        }
    }
    if (options.Record)
        FigureRecorder.Write(BenchmarkOptions.Repository(), options.Command);
}
catch (BenchmarkFailedException failed)
{
    Console.Error.WriteLine($"benchmarks: {failed.Message}");
    return 1;
}
finally
{
    ServiceProcess.CleanUp();
}
return 0;
