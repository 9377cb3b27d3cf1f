using Spotter.Backends;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>The application over a backend, for tests that need no gateway.</summary>
internal static class JobBench
{
    public static JobService Service(Backend backend, TimeProvider clock, JobSettings? settings = null, WorkerRoster? roster = null) => new(
        backend.Jobs, backend.Blobs, roster ?? new WorkerRoster(clock), new ModelCatalogue((IReadOnlyList<CatalogueModel>)[]), settings ?? new JobSettings(), clock, RandomSource.System);
}
