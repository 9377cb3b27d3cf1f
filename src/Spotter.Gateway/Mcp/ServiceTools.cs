using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Models;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>Lists the models.</summary>
internal sealed class ListModels(ToolCalls calls, ModelsPresenter models)
    : McpTool(
        calls, NeedsKey.OfAnyKind,
        new Tool
        {
            Name = "list_models",
            Title = "List models",
            Description = "Lists the models that submit_picture can use, with their engines and the first of the labels that they know. inspect_model has all labels.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [])
{
    private const int FirstLabels = 20;

    protected override Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel) => Task.FromResult(JobAnswers.Json(
        new ModelSummaries([.. models.Show().Models.Select(m => new ModelSummary(m.Id, m.Engine, m.State, m.Default, m.Labels.Count, [.. m.Labels.Take(FirstLabels)], m.Error?.Detail))]),
        ToolJson.Default.ModelSummaries));
}

/// <summary>Says what a model finds.</summary>
internal sealed class InspectModel(ToolCalls calls, ModelsPresenter models)
    : McpTool(
        calls, NeedsKey.OfAnyKind,
        new Tool
        {
            Name = "inspect_model",
            Title = "Inspect a model",
            Description = "Says what a model finds: its engine, the size of its input and its labels.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [new(Model, "string", "The model's id, as list_models gives it.", IsRequired: true)])
{
    private const string Model = "model";
    private const int MostLabels = 2000;

    protected override Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        var id = given.Required(Model);
        // What was asked for is not repeated: it may be anything.
        var model = models.Show().Models.FirstOrDefault(m => m.Id == id)
            ?? throw new SpotterException(ErrorCodes.UnknownModel, "There is no such model; list_models has those that there are.");
        return Task.FromResult(JobAnswers.Json(
            new ModelDetails(model.Id, model.Engine, model.Family, model.Version, model.State, model.Default, model.InputWidth, model.InputHeight, model.Labels.Count, [.. model.Labels.Take(MostLabels)], model.Error?.Detail),
            ToolJson.Default.ModelDetails));
    }
}

/// <summary>Says how much there is to do.</summary>
internal sealed class QueueState(ToolCalls calls, JobService jobs, WorkerRoster roster, GatewaySettings settings, TimeProvider time)
    : McpTool(
        calls, NeedsKey.ToRead,
        new Tool
        {
            Name = "queue_state",
            Title = "State of the queue",
            Description = "Says how many jobs are queued, running and ended, how old the oldest queued one is, and how many workers there are.",
            Annotations = new ToolAnnotations { ReadOnlyHint = true, OpenWorldHint = false },
        },
        [])
{
    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        var all = await jobs.CountAsync(cancel);
        var counts = all.Jobs;
        var oldest = all.OldestQueued is { } since ? Math.Round(Math.Max(0, (time.GetUtcNow() - since).TotalSeconds), 1) : 0;
        return JobAnswers.Json(
            new QueueSummary(
                counts.Queued, counts.Running, counts.Succeeded, counts.Failed, counts.Dead, counts.Cancelled, oldest, roster.List().Count, settings.Jobs.MaxWorkers, Math.Round(jobs.Drain.PerSecond ?? 0, 1)),
            ToolJson.Default.QueueSummary);
    }
}
