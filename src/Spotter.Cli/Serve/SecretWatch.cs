using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Backends.Aws;
using Spotter.Core;

namespace Spotter.Cli.Serve;

/// <summary>Says so when a secret that was read at the start has changed where it is kept: what uses it has the old one until the next start.</summary>
internal sealed partial class SecretWatch(AwsSecrets secrets, TimeProvider time, ILogger<SecretWatch> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        using var timer = new PeriodicTimer(Every, time);
        while (secrets.IsUsed && await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var name in (await secrets.ChangedAsync(stoppingToken)).Where(told.Add))
                    LogChanged(name);
            }
            catch (SpotterException)
            {
                // It is asked again.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The secret '{Name}' has changed; restart this service to use the new one")]
    private partial void LogChanged(string name);
}
