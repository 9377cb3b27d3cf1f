using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Jobs.Deliveries;

namespace Spotter.Gateway.Deliveries;

/// <summary>Runs the sender of one channel for as long as the gateway runs.</summary>
internal sealed class DeliveryService<TChannel>(
    TChannel channel, IOutbox outbox, IJobStore jobs, IDeliveryMonitor monitor, TimeProvider time, RandomSource random) : BackgroundService
    where TChannel : class, IDeliveryChannel
{
    private readonly DeliverySender sender = new(channel, outbox, jobs, monitor, time, random);
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        // Stopped before it has begun, as when the port is in use, it would count as having failed.
        await Task.WhenAny(entered.Task, ExecuteTask ?? Task.CompletedTask);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var hurry = cancellationToken.Register(sender.Dispose);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        sender.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        entered.TrySetResult();
        return channel.IsOn ? sender.RunAsync(stoppingToken) : Task.CompletedTask;
    }
}

/// <summary>Registers channels.</summary>
public static class DeliveryRegistration
{
    /// <summary>Adds a channel and its sender: all that a new one needs besides its class.</summary>
    public static IServiceCollection AddDeliveryChannel<TChannel>(this IServiceCollection services)
        where TChannel : class, IDeliveryChannel =>
        services.AddSingleton<TChannel>().AddSingleton<IDeliveryChannel>(s => s.GetRequiredService<TChannel>()).AddHostedService<DeliveryService<TChannel>>();
}
