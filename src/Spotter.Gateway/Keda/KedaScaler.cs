using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Spotter.Gateway.Keda.Protocol;
using Spotter.Scaling;

namespace Spotter.Gateway.Keda;

/// <summary>
/// KEDA's external scaler. Its one metric is the number of workers that the pool's policy wants, with a target of 1, so that the
/// horizontal pod autoscaler's ceil(value / target) is that number.
/// </summary>
/// <param name="pools">The pools.</param>
/// <param name="host">Says when the port is to be closed.</param>
internal sealed class KedaScaler(WorkerPools pools, IHostApplicationLifetime host) : ExternalScaler.ExternalScalerBase
{
    /// <summary>The metadata of a trigger that names the pool.</summary>
    public const string PoolKey = "pool";

    /// <summary>The metric.</summary>
    public const string Metric = "desired-workers";

    /// <inheritdoc/>
    public override Task<IsActiveResponse> IsActive(ScaledObjectRef request, ServerCallContext context)
    {
        var now = Desired(request).Now;
        return now.IsActive is { } active ? Task.FromResult(new IsActiveResponse { Result = active }) : throw Unknown(now, context);
    }

    /// <inheritdoc/>
    public override async Task StreamIsActive(ScaledObjectRef request, IServerStreamWriter<IsActiveResponse> responseStream, ServerCallContext context)
    {
        var desired = Desired(request);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        bool? told = null;
        try
        {
            for (var now = desired.Now; ; now = await desired.OtherThanAsync(now, end.Token))
            {
                if (now.IsElsewhere)
                {
                    // KEDA comes again two seconds after a stream that ended well, and ever later after one that failed.
                    LeaveConnection(context);
                    return;
                }
                if (now.IsActive is not { } active || active == told)
                    continue;
                await responseStream.WriteAsync(new IsActiveResponse { Result = active }, end.Token);
                told = active;
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // KEDA has gone, or the service ends.
        }
    }

    /// <inheritdoc/>
    public override Task<GetMetricSpecResponse> GetMetricSpec(ScaledObjectRef request, ServerCallContext context)
    {
        // A mistake in the metadata is told here already, before there is anything to scale.
        _ = Desired(request);
        return Task.FromResult(new GetMetricSpecResponse { MetricSpecs = { new MetricSpec { MetricName = Metric, TargetSize = 1, TargetSizeFloat = 1 } } });
    }

    /// <inheritdoc/>
    public override Task<GetMetricsResponse> GetMetrics(GetMetricsRequest request, ServerCallContext context)
    {
        if (request.ScaledObjectRef is not { } asked)
            throw Refusal(StatusCode.InvalidArgument, "The request names no ScaledObject; send scaledObjectRef.");
        if (request.MetricName is not ("" or Metric))
            throw Refusal(StatusCode.NotFound, $"There is no metric '{request.MetricName}' here; there is {Metric}.");
        var now = Desired(asked).Now;
        if (now.Workers is not { } workers)
            throw Unknown(now, context);
        return Task.FromResult(new GetMetricsResponse { MetricValues = { new MetricValue { MetricName = Metric, MetricValue_ = workers, MetricValueFloat = workers } } });
    }

    /// <summary>What is told of the pool that the metadata of a trigger name.</summary>
    private DesiredWorkers Desired(ScaledObjectRef asked)
    {
        var pool = PoolOf(asked);
        return pool.Desired ?? throw Refusal(
            StatusCode.FailedPrecondition, $"Spotter starts the workers of the pool '{pool.Name}' itself; give it launcher=keda to have KEDA start them.");
    }

    private WorkerPool PoolOf(ScaledObjectRef asked)
    {
        var names = string.Join(", ", pools.All.Select(p => p.Name));
        if (asked.ScalerMetadata.TryGetValue(PoolKey, out var name))
        {
            if (string.IsNullOrWhiteSpace(name))
                throw Refusal(StatusCode.InvalidArgument, $"The trigger's metadata have an empty {PoolKey}; name one of {names}, or leave it out.");
            return pools.All.FirstOrDefault(p => p.Name == name) ?? throw Refusal(StatusCode.NotFound, $"There is no pool '{name}' here; there is {names}.");
        }
        return pools.All.FirstOrDefault(p => p.Name == WorkerPool.Default) ?? (pools.All is [var only]
            ? only
            : throw Refusal(StatusCode.InvalidArgument, $"The trigger's metadata name no {PoolKey}, and there are several; name one of {names}."));
    }

    /// <summary>KEDA holds the number of pods where it is while it gets no answer.</summary>
    private static RpcException Unknown(DesiredCount now, ServerCallContext context)
    {
        if (now.IsElsewhere)
            LeaveConnection(context);
        return Refusal(StatusCode.Unavailable, now.Why ?? "The number of workers is not known yet; ask again.");
    }

    /// <summary>The peer's next call comes over a new connection, which a load balancer may give to the gateway that knows.</summary>
    private static void LeaveConnection(ServerCallContext context) => context.GetHttpContext().Connection.RequestClose();

    private static RpcException Refusal(StatusCode code, string sentence) => new(new Status(code, sentence));
}
