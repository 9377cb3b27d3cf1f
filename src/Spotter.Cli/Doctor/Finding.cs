using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Cli.Doctor;

/// <summary>How a thing that Spotter needs is.</summary>
[JsonConverter(typeof(LowerCaseEnumConverter<Health>))]
internal enum Health
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Spotter runs, but something will be missed.</summary>
    Warning,

    /// <summary>Spotter cannot run, or not with these settings.</summary>
    Wrong,
}

/// <summary>One thing that <c>doctor</c> looked at.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Health">How it is.</param>
/// <param name="Detail">What was found and, unless all is well, what to do.</param>
internal sealed record Finding(string Name, Health Health, string Detail);
