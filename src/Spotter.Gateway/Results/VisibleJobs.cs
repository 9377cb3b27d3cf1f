using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Jobs;

namespace Spotter.Gateway.Results;

/// <summary>The jobs as their owners see them: what belongs to another tenant is not there.</summary>
internal sealed class VisibleJobs(IJobStore store)
{
    /// <summary>The job of this id.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: there is none, or it is another tenant's, which is not told apart.</exception>
    public async Task<Job> FindAsync(HttpContext http, string id, CancellationToken cancel)
    {
        if (JobId.TryParse(id, out var job) && await store.FindAsync(job, cancel) is { } row && Sees(Caller.Of(http), row))
            return row;
        // What was asked for is not repeated when it can't be an id: it may be anything.
        throw new SpotterException(ErrorCodes.NotFound, JobId.TryParse(id, out _) ? $"There is no job {id}." : "There is no such job.");
    }

    /// <summary>The tenant to which a caller is restricted; null for who sees all.</summary>
    public static string? TenantOf(HttpContext http) => Caller.Of(http) is { SeesAll: false, Tenant: var tenant } ? tenant : null;

    private static bool Sees(Caller caller, Job job) => caller.SeesAll || job.Tenant == caller.Tenant;
}
