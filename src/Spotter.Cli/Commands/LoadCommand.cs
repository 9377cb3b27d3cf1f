using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Spotter.Cli.Detect;
using Spotter.Cli.Load;
using Spotter.Cli.Remote;
using Spotter.Cli.Serve;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Cli.Commands;

/// <summary><c>load</c>: sends pictures to a running service and keeps its own books of what became of them.</summary>
internal static class LoadCommand
{
    private const int BurstConnections = 256;

    private static readonly Option<string?> Images = new("--images") { HelpName = "DIR", Description = "The folder of pictures to send, one after the other and again from the start." };

    private static readonly DefaultOption<int> Jobs = NumberOption.Whole("--jobs", 100, 1, 10_000_000, "How many to send.");

    private static readonly Option<double?> Rate = new("--rate")
    {
        HelpName = "R",
        Description = "Send so many per second, whatever has become of those before. Default: each connection sends its next picture when it has its answer.",
        CustomParser = ParseRate,
    };

    private static readonly DefaultOption<string> Arrivals = ChoiceOption.Of(
        "--arrivals", SettingValues.OneOf("poisson", "even"), "poisson", "With --rate: at random moments, or evenly.");

    private static readonly Option<bool> Burst = new("--burst") { Description = "Send all at once: as fast as they are accepted." };

    private static readonly Option<int?> Concurrency = NumberOption.Whole("--concurrency", 1, 1000, $"Most requests at a time. Default: 8, with --rate 64, with --burst {BurstConnections}.");

    private static readonly DefaultOption<int> Seed = NumberOption.Whole("--seed", 1, 0, int.MaxValue, "Repeats the random moments of --rate.");

    private static readonly Option<string?> Engine = new("--engine") { HelpName = "NAME", Description = "The engine to ask for. Default: the service's." };

    private static readonly Option<string?> Model = new("--model") { HelpName = "NAME", Description = "The model to ask for. Default: the service's." };

    private static readonly Option<double?> Confidence = NumberOption.Fraction("--confidence", "The least confidence to ask for. Default: the service's.");

    private static readonly Option<string?> Priority = ChoiceOption.Of("--priority", ["high", "normal", "low"], "The priority to ask for. Default: the service's.");

    private static readonly DefaultOption<double> Repeat = NumberOption.Fraction("--repeat", 0, "Share of requests that are sent a second time under the same key, which must give the same job.");

    private static readonly Option<bool> Reuse = new("--reuse") { Description = "Let the service answer from results that it has stored. Default: it has to work for every answer." };

    private static readonly DefaultOption<int> Patience = NumberOption.Whole("--timeout", 60, 1, 86_400, "Give up when nothing was accepted or ended for so many seconds.");

    private static readonly Option<string?> Record = new("--record") { HelpName = "FILE", Description = "Write the ledger down as JSON lines while it fills." };

    private static readonly Option<string?> Check = new("--check")
    {
        HelpName = "FILE",
        Description = "Send nothing: wait for the jobs of a recorded ledger and check that none is lost or doubled.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create()
    {
        var command = new Command(
            "load",
            "Send pictures to a running service; print throughput and latencies, and check that every accepted picture is answered once. Exit status 1 when one is lost or doubled.")
        {
            RemoteOptions.Url, RemoteOptions.Data, Images, Jobs, Rate, Arrivals, Burst, Concurrency, Seed, Engine, Model, Confidence, Priority, Repeat, Reuse, Patience, Record, Check,
            RemoteOptions.KeyFile, Json,
        };
        command.AddCheck(Validate);
        command.SetAction(RunAsync);
        return command;
    }

    private static void Validate(CommandResult result)
    {
        var check = result.GetValue(Check) is not null;
        if (!check && result.GetValue(Images) is null)
            result.AddError("Say which pictures to send with --images DIR, or which ledger to check with --check FILE.");
        else if (check && (result.GetValue(Images) ?? result.GetValue(Record)) is not null)
            result.AddError("--check sends and records nothing; leave out --images and --record.");
        else if (result.GetValue(Burst) && result.GetValue(Rate) is not null)
            result.AddError("--burst sends as fast as it can; leave out either it or --rate.");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        using var stop = new StopSignals();
        var settings = Settings(parsed);
        // Besides those that send: the ones that follow and check.
        var connections = settings.Concurrency + 2;
        LoadFigures figures;
        var check = parsed.GetValue(Check);
        if (check is not null)
        {
            var (ledger, jobs, url) = LedgerFile.Read(check);
            // Where it was sent to, unless told otherwise.
            var isNamed = parsed.GetValue(RemoteOptions.Url) is not null || parsed.GetValue(RemoteOptions.Data) is not null;
            using var service = isNamed ? RemoteOptions.Client(parsed, connections) : RemoteOptions.Client(parsed, new ServiceTarget(url) { From = check }, connections);
            figures = await RunAsync(service, settings with { Jobs = jobs }, ledger, pictures: null, parsed.GetValue(Json), stop.Token);
        }
        else
        {
            using var service = RemoteOptions.Client(parsed, connections);
            var pictures = new PictureSupply(parsed.GetValue(Images)!);
            var ledger = new LoadLedger(RandomSource.System.NextHex(4), settings.Jobs);
            using var file = parsed.GetValue(Record) is { } record
                ? new LedgerFile(record, ledger, settings.Jobs, service.Url, TimeProvider.System.GetUtcNow())
                : null;
            figures = await RunAsync(service, settings, ledger, pictures, parsed.GetValue(Json), stop.Token);
        }
        if (parsed.GetValue(Json))
            JsonLines.Write(figures);
        else
            Console.Out.Write(LoadReport.Render(figures, check is not null));
        return Judge(figures, check is not null);
    }

    private static async Task<LoadFigures> RunAsync(
        ServiceClient service, LoadSettings settings, LoadLedger ledger, PictureSupply? pictures, bool json, CancellationToken stop)
    {
        // A wrong address is said at once, not after a minute of trying.
        if (pictures is not null)
            await service.GetAsync("/v1/jobs?limit=1", ServiceJson.Default.ServiceJobs, stop);
        LoadFigures? figures = null;
        await DetectProgress.ShowAsync("answered", settings.Jobs, visible: !json, async step =>
        {
            var record = ledger.OnEnded;
            ledger.OnEnded = entry =>
            {
                record?.Invoke(entry);
                step();
            };
            figures = await new LoadRun(service, settings, ledger, new LoadClock(TimeProvider.System)).RunAsync(pictures, stop);
        });
        return figures!;
    }

    private static int Judge(LoadFigures figures, bool check)
    {
        foreach (var offence in figures.Offences)
            StandardError.Complain(offence + ".");
        if (figures.Lost > 0 || figures.Doubled > 0)
        {
            StandardError.Complain($"{figures.Lost} lost and {figures.Doubled} doubled of {figures.Accepted} accepted; look into the service's log, or wait longer with --timeout.");
            return ExitStatus.Failed;
        }
        if (figures.Interrupted)
            return ExitStatus.Interrupted;
        if (!check && (figures.NotAccepted > 0 || figures.Accepted == 0))
        {
            StandardError.Complain($"{figures.Jobs - figures.Accepted} of {figures.Jobs} requests were not accepted; look into the service's log, send fewer with --rate, or wait longer with --timeout.");
            return ExitStatus.Failed;
        }
        return ExitStatus.Done;
    }

    private static LoadSettings Settings(ParseResult parsed)
    {
        var rate = parsed.GetValue(Rate);
        var burst = parsed.GetValue(Burst);
        var kind = burst ? ArrivalKind.Burst
            : rate is null ? ArrivalKind.Closed
            : Arrivals.Of(parsed) == "even" ? ArrivalKind.Even
            : ArrivalKind.Poisson;
        var fields = new List<KeyValuePair<string, string>>();
        void Field(string name, string? value)
        {
            if (value is not null)
                fields.Add(new(name, value));
        }
        Field("engine", parsed.GetValue(Engine));
        Field("model", parsed.GetValue(Model));
        Field("confidence", parsed.GetValue(Confidence)?.ToString(CultureInfo.InvariantCulture));
        Field("priority", parsed.GetValue(Priority));
        return new()
        {
            Jobs = Jobs.Of(parsed),
            Arrivals = kind,
            Rate = rate ?? 1,
            Concurrency = parsed.GetValue(Concurrency) ?? (burst ? BurstConnections : rate is null ? 8 : 64),
            Seed = Seed.Of(parsed),
            Repeat = Repeat.Of(parsed),
            Reuse = parsed.GetValue(Reuse),
            Fields = fields,
            Timeout = TimeSpan.FromSeconds(Patience.Of(parsed)),
        };
    }

    private static double? ParseRate(ArgumentResult result)
    {
        var given = result.Tokens[0].Value;
        if (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and <= 100_000)
            return rate;
        result.AddError($"--rate takes a number of requests per second above 0, not {given}.");
        return null;
    }
}
