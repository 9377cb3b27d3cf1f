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

    /// <summary>When it was made, to the millisecond.</summary>
    public DateTimeOffset Time => digits.Time;

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
/// What is to become of an upload that goes past the gateway. It is a note of the form, which the server of the bucket keeps with the
/// upload and lets nobody change; or lies beside it in the blob store, where only gateways write. So any gateway finds it.
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

    /// <summary>Why no job was made of it, for whoever asks later; null while it is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UploadRefusal? Refusal { get; init; }

    /// <summary>Not the values: a secret may be among the fields.</summary>
    public override string ToString() => nameof(UploadTicket);
}

/// <summary>Why an upload was refused.</summary>
/// <param name="Code">See <see cref="ErrorCodes"/>.</param>
/// <param name="Message">What is wrong, and what to do.</param>
public sealed record UploadRefusal(string Code, string Message);

/// <summary>What is known of an upload without having asked for its job.</summary>
/// <param name="Id">The upload.</param>
/// <param name="Ticket">What is to become of it.</param>
/// <param name="HasTicketBlob">True when the ticket lies beside the upload.</param>
/// <param name="Start">Its beginning; null when there is nothing yet, or no longer.</param>
public sealed record FoundUpload(UploadId Id, UploadTicket Ticket, bool HasTicketBlob, BlobStart? Start);
