using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Cli.Catalogue;

/// <summary>What became of a pull, as <c>--json</c> prints it.</summary>
/// <param name="Name">The model.</param>
/// <param name="File">Where it lies; null when it could not be had.</param>
/// <param name="State">Whether it was there or came now; null when it could not be had.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="ResumedAt">Bytes that an earlier download had left and that were used.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Licence">Its terms; null when no such model is known.</param>
/// <param name="Error">Why it could not be had.</param>
internal sealed record PullReport(
    string Name,
    string? File,
    [property: JsonConverter(typeof(LowerCaseEnumConverter<PullState>))] PullState? State,
    long? Bytes,
    long ResumedAt,
    string? Sha256,
    ModelLicence? Licence,
    JobError? Error);
