using System.Globalization;
using Spotter.Core;

namespace Spotter.Gateway;

/// <summary>In which words failures are told to camera software.</summary>
public enum CameraErrorStyle
{
    /// <summary>As DeepStack: the HTTP status says it, <c>{success,error,duration}</c> explains it.</summary>
    DeepStack,

    /// <summary>As CodeProject.AI: always HTTP 200, with <c>{success,code,error,hostname}</c>.</summary>
    CodeProject,
}

/// <summary>How camera software is served.</summary>
public sealed record CameraSettings
{
    /// <summary>A port that serves nothing else, besides the gateway's own; 0 for any free one, null for none.</summary>
    public int? Port { get; init; }

    /// <summary>Longest time that a camera waits for its answer; afterwards nobody needs it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most predictions in an answer, the most confident ones. Frigate has room for 20, and fails on one more.</summary>
    public int MaxPredictions { get; init; } = 20;

    /// <summary>In which words failures are told.</summary>
    public CameraErrorStyle Errors { get; init; }

    /// <summary>Checks all settings together.</summary>
    /// <param name="gatewayPort">The port of the gateway itself.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: which one is wrong, and what it may be.</exception>
    public void Validate(int gatewayPort)
    {
        if (Port is < 0 or > 65535)
            throw Invalid($"The port {Port} for camera software is not between 0 and 65535.");
        if (Port > 0 && Port == gatewayPort)
            throw Invalid($"The port {Port} for camera software is the gateway's own, which serves it as well; choose another, or none.");
        if (Timeout <= TimeSpan.Zero)
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"No camera can be answered within {Timeout.TotalSeconds} s; give more than 0."));
        if (MaxPredictions < 1)
            throw Invalid($"At most {MaxPredictions} predictions are none; give 1 or more.");
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidSettings, message);
}
