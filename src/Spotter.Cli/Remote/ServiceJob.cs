using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Cli.Remote;

/// <summary>A job as a service tells it, with no more than the commands look at: the service may be older or newer than this program.</summary>
internal sealed record ServiceJob
{
    public required string Id { get; init; }

    public string? Name { get; init; }

    /// <summary>queued, running, succeeded, failed, dead or cancelled.</summary>
    public required string State { get; init; }

    public string? Engine { get; init; }

    public string? Model { get; init; }

    public string? Priority { get; init; }

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Finished { get; init; }

    public int Attempts { get; init; }

    public int? Position { get; init; }

    public double? EtaSeconds { get; init; }

    public string? WaitsFor { get; init; }

    public string? By { get; init; }

    public JsonElement? Result { get; init; }

    public ServiceProblem? Error { get; init; }

    /// <summary>True for what must never change again.</summary>
    [JsonIgnore]
    public bool IsTerminal => State is "succeeded" or "failed" or "dead" or "cancelled";

    /// <summary>A hash of all that must not change once the job has ended.</summary>
    public string Signature()
    {
        var text = $"{State} {Finished:O} {Attempts} {Error?.Code} {(Result is { } result ? result.GetRawText() : "")}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }
}

/// <summary>A page of a service's list.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Next">The cursor of the next page; null on the last.</param>
internal sealed record ServiceJobs(IReadOnlyList<ServiceJob> Jobs, string? Next);

/// <summary>A page of a service's list with all that it says, for passing on.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Next">The cursor of the next page; null on the last.</param>
internal sealed record RawJobs(IReadOnlyList<JsonElement> Jobs, string? Next);

/// <summary>A refusal, as RFC 9457 has it.</summary>
/// <param name="Code">Stable.</param>
/// <param name="Detail">For people.</param>
internal sealed record ServiceProblem(string? Code, string? Detail);

/// <summary>How a service is.</summary>
/// <param name="Status">In a word.</param>
internal sealed record ServiceHealth(string Status);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ServiceHealth))]
[JsonSerializable(typeof(ServiceJob))]
[JsonSerializable(typeof(ServiceJobs))]
[JsonSerializable(typeof(ServiceProblem))]
[JsonSerializable(typeof(RawJobs))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ServiceJson : JsonSerializerContext;
