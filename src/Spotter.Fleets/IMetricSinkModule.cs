using Spotter.Core.Settings;
using Spotter.Scaling.Publishing;

namespace Spotter.Fleets;

/// <summary>A place where a scaler outside Spotter reads metrics.</summary>
public interface IMetricSinkModule
{
    /// <summary>Its name, as in <c>--publish</c>.</summary>
    string Name { get; }

    /// <summary>Its settings.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>Makes it; reaches nothing yet. If it is <see cref="IDisposable"/>, it is disposed of when the service ends.</summary>
    /// <exception cref="Core.SpotterException">It can't be as was asked for.</exception>
    IMetricSink Create(SettingReader settings, TimeProvider time);
}
