using Microsoft.Extensions.Logging;
using Spotter.Backends;
using Spotter.Cli.Models;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Fleets;
using Spotter.Jobs;
using Spotter.Scaling;
using Spotter.Scaling.Policies;
using Spotter.Vision;

namespace Spotter.Cli.Serve;

/// <summary>What all pools of a service stand on.</summary>
internal sealed record PoolDependencies(
    Backend Backend, LeaseSettings Leases, ChangeFeed Changes, GatewayName Gateway, WorkerRoster Roster, ScaleRecords Records, ModelCatalogue Catalogue, string DataFolder, string Scratch,
    TimeProvider Time, RandomSource Random, ILoggerFactory Loggers);

/// <summary>One pool of a service: what starts its workers, their controller, and the loop that says how many there are.</summary>
internal sealed class Pool : IAsyncDisposable
{
    // A worker that gets no answer asks again within a heartbeat, one that is sent away tries several gateways, and a cluster takes a while
    // to lead them to a gateway that has just started.
    private const int RejoinHeartbeats = 6;

    private readonly PoolSettings settings;
    private readonly IReadOnlyList<PoolSettings> all;
    private readonly PoolDependencies parts;
    private readonly IWorkerLauncher? launcher;
    private readonly bool isOnly;

    /// <summary>Creates a pool without workers.</summary>
    /// <param name="settings">This pool.</param>
    /// <param name="all">All pools.</param>
    /// <param name="parts">What they stand on.</param>
    /// <param name="command">How to start a worker of this pool.</param>
    /// <param name="isElsewhere">True for a worker that another pool has started.</param>
    public Pool(
        PoolSettings settings, IReadOnlyList<PoolSettings> all, PoolDependencies parts, Func<Pool, WorkerCommand> command, Func<string, bool> isElsewhere)
    {
        this.settings = settings;
        this.all = all;
        this.parts = parts;
        isOnly = all.Count == 1;
        Meter = isOnly ? parts.Records.Meter : new ScaleMeter { Whole = parts.Records.Meter };
        if (settings.IsObserved)
        {
            var observed = new ObservedFleet(parts.Roster, RejoinHeartbeats * parts.Leases.Heartbeat, parts.Time) { Meter = Meter, Takes = Counts };
            (Fleet, Desired, Scaling) = (observed, observed.Desired, settings.Scaling with { BootPrior = ObservedFleet.UsualBoot, BootPatience = ObservedFleet.BootPatience });
            return;
        }
        launcher = settings.Launcher.Create(new LauncherContext(
            settings.Settings,
            settings.Name,
            isOnly ? parts.Gateway.Prefix : $"{parts.Gateway.Prefix}{settings.Name}-",
            Path.Combine(parts.DataFolder, isOnly ? "workers" : $"workers-{settings.Name}"),
            parts.Scratch, () => command(this), (RunStage.BoardVariable, RunStage.BoardBytes), parts.Time, parts.Random, parts.Loggers));
        Scaling = settings.Scaling with { BootPrior = launcher.UsualBoot };
        Fleet = new FleetController(
            launcher, parts.Roster, exit => parts.Backend.Jobs.ReleaseAsync(exit.Worker, ReasonOf(exit), spendAttempt: exit.Status is not (0 or WorkerExit.StuckStatus), CancellationToken.None),
            parts.Time, parts.Loggers.CreateLogger<FleetController>())
        {
            Meter = Meter,
            Adopts = worker => (isOnly || !isElsewhere(worker)) && Counts([.. parts.Roster.Models.Where(m => m.Worker == worker).Select(m => m.Model.Id)]),
        };
    }

    public string Name => settings.Name;

    public ScaleSettings Scaling { get; }

    public IFleet Fleet { get; }

    /// <summary>How many workers there are to be, where somebody else starts them; else null.</summary>
    public DesiredWorkers? Desired { get; }

    public ScaleMeter Meter { get; }

    /// <summary>True for a model that the workers of this pool load.</summary>
    public bool HasModel(string id) => PoolSettings.OfModel(all, id) == settings;

    /// <summary>True for a queue by whose backlog this pool is scaled.</summary>
    public bool Serves(string queue) =>
        (QueueNames.ModelOf(queue) is { } model && parts.Catalogue.HasEngine(model) ? Names(model) : new UnservedQueues(parts.Catalogue, parts.Roster).MayBeServed(queue))
        && PoolSettings.OfQueue(all, queue) == settings;

    /// <summary>
    /// True for workers that are among those of this pool by what they have. Those that only bring engines of their own run nothing else: they
    /// count where the pool names such an engine, and then it starts workers for its jobs, also from none. Elsewhere nobody starts or ends them.
    /// </summary>
    private bool Counts(IReadOnlyCollection<string> models) =>
        models.Count > 0 && models.All(parts.Catalogue.HasEngine) ? models.Any(Names) : isOnly || models.Any(HasModel);

    private bool Names(string engine) => settings.Models.Contains(engine, StringComparer.Ordinal);

    /// <summary>Tells the workers which models there are now.</summary>
    public void TellModels(IReadOnlyList<WatchedModel> models) =>
        (launcher as IWorkerLine)?.TellAll(WorkerOrder.HaveModels([.. models.Where(m => m.Model is not null && HasModel(m.Id)).Select(m => m.Wanted)]));

    /// <summary>Scales until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) =>
        new ScaleLoop(
            parts.Backend.Jobs, Fleet, ScalePolicies.Create(Scaling), parts.Records.Decisions, parts.Time, parts.Loggers.CreateLogger<ScaleLoop>(), Serves)
        {
            Tick = Scaling.Tick,
            Meter = Meter,
            CpuLoad = () => isOnly ? parts.Roster.CpuLoad : parts.Roster.CpuLoadOf(Fleet.List().Select(w => w.Id).ToHashSet(StringComparer.Ordinal).Contains),
            Series = parts.Records.Series,
            Changes = parts.Changes,
            Memory = parts.Records.MemoryOf(isOnly ? null : Name, Scaling.Policy),
            Pool = isOnly ? null : Name,
            Term = new ControllerTerm(parts.Backend.Controllers, () => LeaseName, parts.Gateway.Name, parts.Time),
        }.RunAsync(cancel);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => (launcher as IAsyncDisposable)?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Gateways that have other models start workers for other queues, so each of them scales its own.</summary>
    private string LeaseName =>
        $"{Name}:{string.Join(',', parts.Catalogue.Models.Select(m => m.Id).Where(id => parts.Catalogue.IsOwn(id) && HasModel(id)).Order(StringComparer.Ordinal))}";

    /// <summary>A job that has had a worker die on it runs alone from then on, so the last time it is known to be this job's doing.</summary>
    private static JobError ReasonOf(WorkerExit exit) => exit.IsCrash && exit.Breadcrumbs.Contains(RunStage.Decoding)
        ? new(ErrorCodes.DecodeCrashed, $"The worker process crashed (signal {exit.Status - 128}) while it decoded a picture.")
        : new(ErrorCodes.WorkerDied, $"The worker process died while it had the job, with status {exit.Status}.");
}
