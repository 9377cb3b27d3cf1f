using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>Gives a job as it stands.</summary>
internal sealed class GetJob(ToolCalls calls, JobService jobs, JobAnswers answers)
    : McpTool(
        calls, NeedsKey.ToRead,
        new Tool
        {
            Name = "get_job",
            Title = "Get a job",
            Description = "Gives a job as it stands: its state, its place in the queue or its result with counts and boxes, and the annotated picture if that is wanted.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [JobId, Picture(byDefault: false)])
{
    /// <summary>The argument that says whether the picture is wanted.</summary>
    public const string WithPicture = "picture";

    /// <summary>The argument that names a job.</summary>
    public static readonly ToolArgument JobId = new("id", "string", "The job's id, as submit_picture and list_jobs give it.", IsRequired: true);

    /// <summary>The argument <see cref="WithPicture"/>.</summary>
    public static ToolArgument Picture(bool byDefault) =>
        new(WithPicture, "boolean", $"Whether to give the picture too, with the boxes drawn in; of a filter the picture that it made. Default: {(byDefault ? "true" : "false")}.");

    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel) =>
        await answers.OfAsync(http, await jobs.FindAsync(Caller.Of(http).AsJobCaller(), given.Required(JobId.Name), cancel), given.IsTrue(WithPicture, byDefault: false), cancel);
}

/// <summary>Waits for the end of a job.</summary>
internal sealed class WaitForJob(ToolCalls calls, JobService jobs, UploadIntake intake, JobAnswers answers, GatewaySettings settings)
    : McpTool(
        calls, NeedsKey.ToRead,
        new Tool
        {
            Name = "wait_for_job",
            Title = "Wait for a job",
            Description = "Waits until a job has ended, and gives its result with counts, boxes and the annotated picture. If it has not ended in time, the answer says how it stands; call it again.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [GetJob.JobId, Wait(settings.MaxWait), GetJob.Picture(byDefault: true)])
{
    private const string WaitSeconds = "wait_seconds";

    // Assistants give up on a tool after a minute or so, some sooner.
    private const int DefaultSeconds = 30;

    /// <summary>The argument that says how long to wait.</summary>
    public static ToolArgument Wait(TimeSpan longest) =>
        new(WaitSeconds, "integer", $"Most seconds to wait for the result, 0 to {(int)longest.TotalSeconds}. Default: {Default(longest)}.");

    /// <summary>How long to wait.</summary>
    public static int Seconds(ToolArguments given, TimeSpan longest) => given.Number(WaitSeconds, Default(longest), 0, (int)longest.TotalSeconds);

    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        var (withPicture, seconds) = (given.IsTrue(GetJob.WithPicture, byDefault: true), Seconds(given, settings.MaxWait));
        var job = await jobs.FindAsync(Caller.Of(http).AsJobCaller(), given.Required(GetJob.JobId.Name), cancel);
        if (!job.State.IsTerminal() && seconds > 0)
        {
            using var waiting = intake.EnterWait(http);
            job = (await intake.WaitAsync([job], TimeSpan.FromSeconds(seconds), cancel))[0];
        }
        return await answers.OfAsync(http, job, withPicture, cancel);
    }

    private static int Default(TimeSpan longest) => Math.Min(DefaultSeconds, (int)longest.TotalSeconds);
}

/// <summary>Lists jobs.</summary>
internal sealed class ListJobs(ToolCalls calls, JobService jobs, JobAnswers answers)
    : McpTool(
        calls, NeedsKey.ToRead,
        new Tool
        {
            Name = "list_jobs",
            Title = "List jobs",
            Description = "Lists jobs, newest first, with what was counted in them and without boxes; get_job has those.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [
            new(State, "string", "Only jobs in this state: queued, running, succeeded, failed, dead or cancelled."),
            new(Engine, "string", "Only jobs of this engine, as 'detect'."),
            new(Limit, "integer", $"At most so many, 1 to {LongestPage}. Default: {DefaultPage}."),
            new(After, "string", "'next' of the page before, for the page after it."),
        ])
{
    private const int LongestPage = 100;
    private const int DefaultPage = 20;
    private const string State = "state";
    private const string Engine = "engine";
    private const string Limit = "limit";
    private const string After = "after";

    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        var filter = new JobFilter { Engine = given.Text(Engine), Limit = given.Number(Limit, DefaultPage, 1, LongestPage) };
        if (given.Text(State) is { } state)
        {
            filter = filter with
            {
                State = EnumNames.TryParse<JobState>(state, out var parsed)
                    ? parsed
                    : throw new SpotterException(ErrorCodes.InvalidRequest, "There is no such state; there is queued, running, succeeded, failed, dead and cancelled."),
            };
        }
        if (given.Text(After) is { } after)
        {
            filter = filter with
            {
                After = Spotter.Jobs.JobId.TryParse(after, out var cursor) ? cursor : throw new SpotterException(ErrorCodes.InvalidRequest, "'after' is not a cursor; pass 'next' of the page before."),
            };
        }
        var (page, more) = await jobs.ListAsync(Caller.Of(http).AsJobCaller(), filter, cancel);
        return await answers.OfAsync(page, more ? page[^1].Id.Value : null, cancel);
    }
}

/// <summary>Cancels a job.</summary>
internal sealed class CancelJob(ToolCalls calls, JobService jobs, JobAnswers answers)
    : McpTool(
        calls, NeedsKey.ToSubmit,
        new Tool
        {
            Name = "cancel_job",
            Title = "Cancel a job",
            Description = "Cancels a job that has not ended.",
            Annotations = new ToolAnnotations { ReadOnlyHint = false, DestructiveHint = true, IdempotentHint = true, OpenWorldHint = false },
        },
        [GetJob.JobId])
{
    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        var caller = Caller.Of(http).AsJobCaller();
        var job = await jobs.CancelAsync(caller, await jobs.FindAsync(caller, given.Required(GetJob.JobId.Name), cancel), cancel);
        return await answers.OfAsync(http, job, withPicture: false, cancel);
    }
}
