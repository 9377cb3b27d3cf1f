using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>Names an upload that goes past the gateway, by 32 lower-case hexadecimal digits that nobody can guess.</summary>
public readonly record struct UploadId
{
    private readonly JobId digits;

    private UploadId(JobId digits) => this.digits = digits;

    /// <summary>The digits.</summary>
    public string Value => digits.Value;

    /// <summary>A new one.</summary>
    public static UploadId New(RandomSource random, TimeProvider time) => new(JobId.New(random, time));

    /// <summary>Reads the digits; false if they are no such name.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out UploadId id)
    {
        var isId = JobId.TryParse(text, out var digits);
        id = new(digits);
        return isId;
    }

    /// <inheritdoc/>
    public override string ToString() => digits.ToString();
}

/// <summary>
/// What is to become of an upload that goes past the gateway. It lies beside it in the blob store, where only gateways write: nobody
/// can change it, and any gateway finds it.
/// </summary>
public sealed record UploadTicket
{
    /// <summary>Whose job it becomes; empty where nobody is told apart.</summary>
    public required string Tenant { get; init; }

    /// <summary>Who asked for it; null when nobody is named.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? By { get; init; }

    /// <summary>What the client calls it: a file name, for people to read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The media type that was asked for, which the server of the bucket demands.</summary>
    public required string ContentType { get; init; }

    /// <summary>The fields of the job.</summary>
    public required IReadOnlyDictionary<string, string> Fields { get; init; }

    /// <summary>Not the values: a secret may be among the fields.</summary>
    public override string ToString() => nameof(UploadTicket);
}
