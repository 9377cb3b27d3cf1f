using System.CommandLine;
using Spotter.Cli.Simulate;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Scaling;
using Spotter.Scaling.Simulation;

namespace Spotter.Cli.Commands;

/// <summary><c>simulate</c>: what scaling policies would have made of a trace of arrivals.</summary>
internal static class SimulateCommand
{
    private static readonly Option<string> Trace = new("--trace")
    {
        HelpName = "FILE",
        Description = $"When jobs came: a CSV file of time,count, of times, or of time,service seconds; or a kind of load: {string.Join(", ", SyntheticTraces.Kinds)}.",
    };

    private static readonly Option<int[]> Scale = NumberOption.Wholes("--scale", 0, 100_000_000, "Instead of a trace: a day with so many jobs, run by `spotter`, and its bill on AWS; may be given several times.");

    private static readonly Option<double?> Picture = NumberOption.Positive("--picture", "BYTES", "The size of a picture, for the bill of --scale. Default: 500000.");

    private static readonly Option<string[]> Policies = new("--policy")
    {
        HelpName = "NAME",
        Description = "Run this policy; may be given several times. Default: all that `--all` compares.",
    };

    private static readonly Option<bool> All = new("--all") { Description = "Compare all policies, and a fixed fleet." };

    private static readonly DefaultOption<ScalePreset> Preset = ChoiceOption.Of(
        "--preset", SettingValues.Choice<ScalePreset>(), ScalePreset.Balanced, "How `spotter` weighs waiting against workers.");

    private static readonly DefaultOption<string> Machine = ChoiceOption.Of(
        "--machine", SettingValues.OneOf([.. MachineKind.All.Select(kind => kind.Name)]), MachineKind.Ec2.Name, "The kind of worker, which sets the options that follow.");

    private static readonly Option<double?> Boot = NumberOption.Positive("--boot", "SECONDS", "From a worker's launch to its first job.");

    private static readonly Option<double?> Service = NumberOption.Positive("--service", "SECONDS", "What a job takes on average, where the trace does not say it.");

    private static readonly Option<double?> MinBill = NumberOption.Positive("--min-bill", "SECONDS", "A worker is paid for at least this long.");

    private static readonly Option<int?> MaxWorkers = NumberOption.Whole("--max-workers", 1, 10_000, "Most workers.");

    private static readonly Option<int?> Lanes = NumberOption.Whole("--lanes", 1, 1024, "Jobs that a worker runs at a time.");

    private static readonly Option<bool> Faults = new("--faults") { Description = "With boots that drag on or never end, crashes, and jobs that kill workers." };

    private static readonly DefaultOption<int> Min = NumberOption.Whole("--min-workers", 0, 0, 10_000, "Fewest workers.");

    private static readonly DefaultOption<int> Slo = NumberOption.Whole("--slo", 60, 1, 86_400, "Seconds after which an answer came too late.");

    private static readonly Option<double?> CostCap = NumberOption.Positive("--cost-cap", "HOURS", "Worker-hours that may be spent in any 24 hours. Default: as many as it takes.");

    private static readonly Option<double?> Price = NumberOption.Positive("--price", "AMOUNT", "What an hour of a worker costs, to show the cost of each policy.");

    private static readonly Option<double?> JobsPerCount = NumberOption.Positive("--jobs-per-count", "N", "Jobs for each thing that the file counts. Default: 1.");

    private static readonly Option<string?> From = new("--from") { HelpName = "TIME", Description = "Begin at this time of the file. Default: at its first row." };

    private static readonly Option<double?> Hours = NumberOption.Positive("--hours", "N", "Take so many hours of the file. Default: all.");

    // c7i.large, on demand.
    private const double DefaultPrice = 0.08925;

    private const double DefaultPicture = 500_000;

    private static readonly DefaultOption<int> Repeat = NumberOption.Whole("--repeat", 3, 1, 1000, "Run each policy so many times, beginning at other moments of its rhythm, and give the means.");

    private static readonly DefaultOption<int> Seed = NumberOption.Whole("--seed", 1, 0, int.MaxValue, "Of all that is random.");

    private static readonly Option<bool> Json = new("--json") { Description = "Print the figures as one JSON object." };

    private static readonly Option<string?> Plot = new("--plot") { HelpName = "FILE", Description = "Draw backlog and workers of each policy: an .svg, or an .html with the table." };

    public static Command Create()
    {
        var command = new Command("simulate", "Replay a trace of arrivals through scaling policies: workers, waiting, cost, and how far that is from the least possible.")
        {
            Trace, Policies, All, Preset, Machine, Boot, Service, MinBill, MaxWorkers, Lanes, Faults, Min, Slo, CostCap, Price, JobsPerCount, From, Hours,
            Repeat, Seed, Json, Plot, Scale, Picture,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Trace) is null && result.GetResult(Scale) is null)
                result.AddError($"`spotter simulate` needs {Trace.Name} {Trace.HelpName}: {Trace.Description} Or it needs {Scale.Name} {Scale.HelpName}.");
            else if (result.GetResult(Trace) is not null && result.GetResult(Scale) is not null)
                result.AddError("Give either --trace or --scale.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var machine = ReadMachine(parsed);
        var settings = Comparison.For(machine, new ScaleSettings
        {
            Preset = Preset.Of(parsed),
            Min = Min.Of(parsed),
            Slo = TimeSpan.FromSeconds(Slo.Of(parsed)),
            DailyWorkerHours = parsed.GetValue(CostCap),
            PricePerHour = parsed.GetValue(Price) ?? 0,
            // Where boots are short, looking seldom would add to them.
            Tick = TimeSpan.FromSeconds(Math.Clamp(machine.BootSeconds / 15, 0.25, 1)),
        });
        if (parsed.GetValue(Scale) is { Length: > 0 } scales)
            return Run(scales, machine, settings with { PricePerHour = parsed.GetValue(Price) ?? DefaultPrice }, parsed, cancel);
        var names = parsed.GetValue(Policies) is { Length: > 0 } given && !parsed.GetValue(All) ? given : Contenders.Compared(machine.MaxWorkers);
        var contenders = names.Select(Contenders.Named).ToList();
        var trace = ReadTrace(parsed, machine);
        var plot = parsed.GetValue(Plot);

        var comparison = new Comparison(machine, trace, settings, cancel);
        var clairvoyant = comparison.RunClairvoyant();
        var runs = new List<(ComparedPolicy Policy, Timeline Course)>();
        foreach (var contender in contenders)
        {
            var course = new Timeline();
            var compared = comparison.Run(contender, Repeat.Of(parsed), Seed.Of(parsed), plot is null ? null : course.Note, cancel);
            runs.Add((compared, course));
        }

        var report = SimulationReport.Create(trace, machine, settings, comparison.Bound.AtPar, runs.Select(run => run.Policy).Prepend(clairvoyant));
        if (plot is not null)
            await File.WriteAllTextAsync(plot, ScalingPlot.Draw(report, trace, runs, asPage: Path.GetExtension(plot) is ".html" or ".htm"), cancel);
        if (parsed.GetValue(Json))
            JsonLines.Write(report);
        else
            await Console.Out.WriteAsync(report.Render());
        return ExitStatus.Done;
    }

    private static int Run(int[] scales, MachineKind machine, ScaleSettings settings, ParseResult parsed, CancellationToken cancel)
    {
        var picture = parsed.GetValue(Picture) ?? DefaultPicture;
        var days = scales.Select(jobs => ScaledDay.Run(jobs, machine, settings, picture, Seed.Of(parsed), cancel)).ToList();
        if (parsed.GetValue(Json))
            days.ForEach(JsonLines.Write);
        else
            Console.Out.Write(ScaledDay.Render(days, machine, settings.PricePerHour, picture));
        return ExitStatus.Done;
    }

    private static MachineKind ReadMachine(ParseResult parsed)
    {
        var kind = MachineKind.Named(Machine.Of(parsed));
        var machine = kind with
        {
            BootSeconds = parsed.GetValue(Boot) ?? kind.BootSeconds,
            ServiceSeconds = parsed.GetValue(Service) ?? kind.ServiceSeconds,
            MinBillSeconds = parsed.GetValue(MinBill) ?? kind.MinBillSeconds,
            MaxWorkers = parsed.GetValue(MaxWorkers) ?? kind.MaxWorkers,
            Lanes = parsed.GetValue(Lanes) ?? kind.Lanes,
        };
        if (Min.Of(parsed) > machine.MaxWorkers)
            throw new SpotterException(ErrorCodes.InvalidSettings, $"--min-workers is larger than the most workers, {machine.MaxWorkers}.");
        return parsed.GetValue(Faults) ? machine.WithFaults() : machine;
    }

    private static ArrivalTrace ReadTrace(ParseResult parsed, MachineKind machine)
    {
        var (name, seed) = (parsed.GetRequiredValue(Trace), Seed.Of(parsed));
        if (!File.Exists(name) && SyntheticTraces.Has(name))
            return SyntheticTraces.Create(name, machine, seed);
        return TraceFile.Read(name, machine, new()
        {
            JobsPerCount = parsed.GetValue(JobsPerCount) ?? 1,
            From = parsed.GetValue(From),
            Hours = parsed.GetValue(Hours),
            Seed = seed,
        });
    }
}
