using Microsoft.Extensions.Diagnostics.HealthChecks;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Gateway.Operations;

/// <summary>Healthy while jobs are accepted: the service is not about to end, and its job store answers.</summary>
internal sealed class AcceptanceCheck(JobService jobs) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (jobs.Admission.Closed)
            return HealthCheckResult.Unhealthy(exception: new SpotterException(ErrorCodes.Busy, "The service is shutting down."));
        await jobs.CountAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}
