using Spotter.Engines;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Joined;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Gateway.Models;

/// <summary>Shows the engines that requests may choose, and who runs those that workers bring.</summary>
internal sealed class EnginesPresenter(EngineCatalogue engines, WorkerRoster roster, GatewaySettings settings)
{
    public EnginesView Show()
    {
        var places = roster.Models.ToLookup(m => m.Model.Id, m => new EnginePlace(m.Worker, m.Model.Version), StringComparer.Ordinal);
        return new EnginesView([.. engines.Offered.Select(e => Show(e, places[e.Name]))]);
    }

    private EngineView Show(IOfferedEngine engine, IEnumerable<EnginePlace> places)
    {
        var brought = (engine as JoinedEngine)?.Declared;
        return new EngineView
        {
            Name = engine.Name,
            Help = engine.Help,
            Version = brought?.Version,
            Workers = brought is null ? null : [.. places],
            MediaTypes = engine.Limits.MediaTypes,
            MaxInputBytes = engine.Limits.InputBytes ?? settings.Jobs.MaxInputBytes,
            MaxInputs = Math.Min(engine.Limits.MostInputs ?? int.MaxValue, settings.Jobs.MaxInputsPerSubmission),
            RunSeconds = engine.Limits.RunTime?.TotalSeconds,
            Options = [.. engine.Options.Select(Show)],
        };
    }

    private static EngineOptionView Show(JobOption option) => new(option.Name, option.Help, option.Values.Words, option.Default)
    {
        Min = option.Values.Least,
        Max = option.Values.Most,
        Choices = option.Values.Choices,
    };
}
