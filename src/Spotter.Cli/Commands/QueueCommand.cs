using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Spotter.Cli.Queue;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Cli.Commands;

/// <summary><c>queue</c>: looks at the queue of a running service, puts dead jobs back, cancels.</summary>
internal static class QueueCommand
{
    private const string JsonHelp = "Print one JSON object per job, as the service has it.";

    private static readonly string[] States = ["queued", "running", "succeeded", "failed", "dead", "cancelled"];

    private static readonly Argument<string[]> Ids = new("ID") { Arity = ArgumentArity.ZeroOrMore, Description = $"Jobs, by their ids: all digits, or the first {JobId.ShortestPrefix} or more where no other job has them." };

    private static readonly Option<string?> Engine = new("--engine") { HelpName = "NAME", Description = "Only jobs of this engine." };

    private static readonly Option<string?> Error = new("--error") { HelpName = "CODE", Description = "Only jobs that died of this error." };

    private static readonly DefaultOption<int> Limit = NumberOption.Whole("--limit", 50, 1, 1_000_000, "At most so many.");

    private static readonly Option<bool> All = new("--all") { Description = "All dead jobs." };

    private static readonly Option<bool> Yes = new("--yes") { Description = "Do not ask." };

    public static Command Create() => new("queue", "Look at the queue of a running service, put dead jobs back, cancel jobs.")
    {
        CreateCancel(), CreateDead(), CreateList(), CreateRedrive(), CreateStats(),
    };

    private static Command CreateStats()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("stats", "Show how many jobs stand where, and the workers.") { RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, json };
        command.SetAction((parsed, cancel) => WithAsync(parsed, async queue =>
        {
            var stats = await queue.StatsAsync(cancel);
            Console.Out.Write(parsed.GetValue(json) ? JsonLines.Compact(stats) + "\n" : QueueTables.Stats(stats).ToString());
            return ExitStatus.Done;
        }));
        return command;
    }

    private static Command CreateList()
    {
        var json = new Option<bool>("--json") { Description = JsonHelp };
        var state = ChoiceOption.Of("--state", States, "Only jobs in this state.");
        var command = new Command("list", "Show jobs, newest first.") { RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, state, Engine, Limit, json };
        command.SetAction((parsed, cancel) => WithAsync(parsed, queue => ShowAsync(
            queue.ListAsync("/v1/jobs", [("state", parsed.GetValue(state)), ("engine", parsed.GetValue(Engine))], Limit.Of(parsed), cancel),
            parsed.GetValue(json), QueueTables.Jobs)));
        return command;
    }

    private static Command CreateDead()
    {
        var json = new Option<bool>("--json") { Description = JsonHelp };
        var command = new Command("dead", "Show jobs that used up their attempts, and why.") { RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, Error, Engine, Limit, json };
        command.SetAction((parsed, cancel) => WithAsync(parsed, queue => ShowAsync(
            queue.ListAsync("/v1/dead", [("error", parsed.GetValue(Error)), ("engine", parsed.GetValue(Engine))], Limit.Of(parsed), cancel),
            parsed.GetValue(json), QueueTables.Dead)));
        return command;
    }

    private static Command CreateRedrive()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("redrive", "Put dead jobs back into their queues, with a fresh set of attempts.") { Ids, All, Error, RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, json };
        command.AddCheck(result => RequireOne(result, "which dead jobs to put back", "ids, --all or --error CODE",
            result.GetValue(Ids) is { Length: > 0 }, result.GetValue(All), result.GetValue(Error) is not null));
        command.SetAction((parsed, cancel) => WithAsync(parsed, async queue =>
        {
            var ids = parsed.GetValue(Ids)!.Distinct(StringComparer.Ordinal).ToList();
            var request = new RedriveRequest(ids.Count > 0 ? ids : null, parsed.GetValue(Error), parsed.GetValue(All));
            var redriven = await queue.RedriveAsync(request, cancel);
            if (parsed.GetValue(json))
                JsonLines.Write(new RedriveView(redriven));
            else
                Console.Out.WriteLine($"{QueueTables.Count(redriven)} put back.");
            if (redriven >= ids.Count)
                return ExitStatus.Done;
            StandardError.Complain($"{QueueTables.Count(ids.Count - redriven)} of the {ids.Count} not put back: not dead, or their picture has expired; `spotter queue dead` shows those that are.");
            return ExitStatus.Failed;
        }));
        return command;
    }

    private static Command CreateCancel()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var state = ChoiceOption.Of("--state", ["queued", "running"], "All jobs in this state.");
        var command = new Command("cancel", "Cancel jobs that have not ended.") { Ids, state, Engine, Yes, RemoteOptions.Url, RemoteOptions.Data, RemoteOptions.KeyFile, json };
        command.AddCheck(result => RequireOne(result, "which jobs to cancel", "ids, or --state (with --engine for only one engine's)",
            result.GetValue(Ids) is { Length: > 0 }, result.GetValue(state) is not null));
        command.SetAction((parsed, cancel) => WithAsync(parsed, async queue =>
        {
            var ids = parsed.GetValue(Ids)!.Distinct(StringComparer.Ordinal).ToList();
            if (parsed.GetValue(state) is { } wanted)
            {
                var jobs = queue.ListAsync("/v1/jobs", [("state", wanted), ("engine", parsed.GetValue(Engine))], int.MaxValue, cancel);
                await foreach (var job in jobs)
                    ids.Add(job.GetProperty("id").GetString()!);
                if (ids.Count > 0 && !parsed.GetValue(Yes) && !Confirm($"Cancel {QueueTables.Count(ids.Count)} ({wanted})?"))
                    return ExitStatus.Failed;
            }
            var refused = 0;
            var cancelled = await queue.CancelAsync(ids, (_, why) =>
            {
                refused++;
                StandardError.Complain(why.Message);
            }, cancel);
            if (parsed.GetValue(json))
                JsonLines.Write(new CancelReport(cancelled, refused));
            else
                Console.Out.WriteLine($"{QueueTables.Count(cancelled)} cancelled.");
            // Of a whole state some end while they are cancelled; those were not asked for by name.
            return refused > 0 && parsed.GetValue(state) is null ? ExitStatus.Failed : ExitStatus.Done;
        }));
        return command;
    }

    private static async Task<int> WithAsync(ParseResult parsed, Func<QueueClient, Task<int>> act)
    {
        using var service = RemoteOptions.Client(parsed, connections: 8);
        return await act(new QueueClient(service));
    }

    private static async Task<int> ShowAsync(IAsyncEnumerable<JsonElement> jobs, bool json, Func<IReadOnlyList<JsonElement>, DateTimeOffset, TextTable> table)
    {
        var shown = new List<JsonElement>();
        await foreach (var job in jobs)
        {
            if (json)
                Console.Out.WriteLine(JsonLines.Compact(job));
            else
                shown.Add(job);
        }
        if (!json)
            Console.Out.Write(shown.Count == 0 ? "There are none.\n" : table(shown, TimeProvider.System.GetUtcNow()).ToString());
        return ExitStatus.Done;
    }

    private static bool Confirm(string question)
    {
        if (Console.IsInputRedirected)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{question} There is nobody to ask; say so with --yes.");
        Console.Error.Write($"{question} [y/N] ");
        return Console.In.ReadLine() is { } answer && answer.Trim().StartsWith('y');
    }

    private static void RequireOne(CommandResult result, string what, string how, params ReadOnlySpan<bool> given)
    {
        var count = 0;
        foreach (var one in given)
            count += one ? 1 : 0;
        if (count != 1)
            result.AddError($"Say {what} by exactly one of: {how}.");
    }
}

/// <summary>What came of cancelling.</summary>
/// <param name="Cancelled">Jobs that are cancelled.</param>
/// <param name="Refused">Jobs that had ended already, or are unknown.</param>
internal sealed record CancelReport(int Cancelled, int Refused);
