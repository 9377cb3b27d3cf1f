using Microsoft.Extensions.Logging;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>Lets nobody run a service by mistake that anybody who can reach it may use.</summary>
internal sealed partial class OpenDoor(KeyRing keys, GatewaySettings settings, ILogger<OpenDoor> log)
{
    private bool IsOpen => !settings.IsLoopback && !keys.Closed;

    /// <summary>Refuses to listen beyond this machine without keys, unless that is wanted.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Check()
    {
        if (IsOpen && !settings.InsecureOpen)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"On {settings.Host} whoever can reach this service could use it and see every picture; make a key with 'spotter keys add NAME' first, or say --insecure-open if that is what you want.");
        }
    }

    /// <summary>Says so where it is wanted.</summary>
    public void Warn()
    {
        if (IsOpen)
            LogOpen(settings.Host);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listening on {Host} without API keys: whoever can reach this service may use it and see every picture; make a key with 'spotter keys add NAME'")]
    private partial void LogOpen(string host);
}
