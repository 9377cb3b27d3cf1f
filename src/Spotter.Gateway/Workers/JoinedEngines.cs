using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Joined;
using Spotter.Jobs;

namespace Spotter.Gateway.Workers;

/// <summary>
/// The engines that workers bring: which may join, and whose declaration counts. Of the versions that workers have now it is the
/// highest; when no worker has the engine, what was heard last.
/// </summary>
internal sealed class JoinedEngines(EngineCatalogue engines, WorkerRoster roster, ModelCatalogue models)
{
    private readonly DeclarationCheck check = new(engines);

    /// <summary>An engine in the way of a model, as a worker has it.</summary>
    public static WorkerModel AsModel(EngineDeclaration engine) => new(engine.Name, engine.Version) { Info = ModelInfo.Of(engine) };

    /// <summary>Refuses engines that can't be, or are somebody else's.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>; <see cref="ErrorCodes.EngineConflict"/>.</exception>
    public void Check(string worker, IReadOnlyList<EngineDeclaration> declared)
    {
        if (declared.Count > DeclarationCheck.MostEngines)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The worker declares more than {DeclarationCheck.MostEngines} engines.");
        foreach (var engine in declared)
        {
            check.Check(engine);
            if (models.All.Any(m => m.Id == engine.Name))
                throw new SpotterException(ErrorCodes.EngineConflict, $"There is a model '{engine.Name}' here; give the engine another name.");
            if (OfOthers(worker, engine.Name).FirstOrDefault(o => o.Version == engine.Version && Text(o) != Text(engine)) is not null)
                throw new SpotterException(ErrorCodes.EngineConflict, $"Another worker declares version {engine.Version} of the engine '{engine.Name}' otherwise; give what has changed another version.");
        }
        if (declared.DistinctBy(e => e.Name, StringComparer.Ordinal).Count() < declared.Count)
            throw new SpotterException(ErrorCodes.InvalidRequest, "The worker declares two engines of one name.");
    }

    /// <summary>From now on requests may choose them.</summary>
    public void Bring(string worker, IReadOnlyList<EngineDeclaration> declared) =>
        models.Bring(declared.Where(e => OfOthers(worker, e.Name).All(o => EngineVersion.Compare(o.Version, e.Version) <= 0)).Select(ModelInfo.Of));

    /// <summary>The outcome with the version of the engine that ran, which its worker said when it joined.</summary>
    public JobOutcome WithVersion(string worker, WorkerFinish finish) =>
        finish.Outcome is JobOutcome.Done { ModelVersion: null } done && engines.Find(QueueNames.EngineOf(finish.Lease.Queue)) is JoinedEngine engine
            ? done with { ModelVersion = roster.VersionOf(worker, engine.Name) }
            : finish.Outcome;

    private IEnumerable<EngineDeclaration> OfOthers(string worker, string name) =>
        roster.Models.Where(m => m.Worker != worker && m.Model.Id == name).Select(m => m.Model.Info?.Declared).OfType<EngineDeclaration>();

    private static string Text(EngineDeclaration engine) => RawJson.Of(engine, SpotterJson.Default.EngineDeclaration).ToString();
}
