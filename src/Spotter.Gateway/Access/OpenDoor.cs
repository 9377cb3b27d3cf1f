using Microsoft.Extensions.Logging;

namespace Spotter.Gateway.Access;

/// <summary>Tells who runs the service when anybody who can reach it may use it.</summary>
internal sealed partial class OpenDoor(KeyRing keys, GatewaySettings settings, ILogger<OpenDoor> log)
{
    public void Warn()
    {
        if (!settings.IsLoopback && !keys.Closed)
            LogOpen(settings.Host);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listening on {Host} without API keys: whoever can reach this service may use it and see every picture; make a key with 'spotter keys add NAME'")]
    private partial void LogOpen(string host);
}
