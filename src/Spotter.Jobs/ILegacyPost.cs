using Spotter.Core;

namespace Spotter.Jobs;

/// <summary>A message of an earlier service, as it was received.</summary>
/// <param name="Id">Its id, the same each time it comes.</param>
/// <param name="Body">What it says.</param>
/// <param name="Receipt">What deletes it.</param>
public sealed record LegacyMessage(string Id, string Body, string Receipt)
{
    /// <summary>When it was sent.</summary>
    public DateTimeOffset Sent { get; init; }

    /// <summary>How often anybody has received it so far, this time with it; 0 where that isn't known.</summary>
    public int Received { get; init; }

    /// <summary>The texts that came beside the body, by their names.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>A part of an earlier service that has to be there.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name; the address will do for a queue.</param>
public sealed record LegacyPart(LegacyPartKind Kind, string Name);

/// <summary>What a <see cref="LegacyPart"/> is.</summary>
public enum LegacyPartKind
{
    /// <summary>A queue.</summary>
    Queue,

    /// <summary>A bucket.</summary>
    Bucket,

    /// <summary>A table to which rows are written.</summary>
    Table,

    /// <summary>A table from which rows are read.</summary>
    ReadTable,
}

/// <summary>What is known of an object without its bytes.</summary>
/// <param name="ETag">Tells one content from another.</param>
/// <param name="Mark">What <see cref="ILegacyPost.PutAsync"/> marked it with; null where another program wrote it.</param>
public sealed record LegacyObjectInfo(string ETag, string? Mark);

/// <summary>An object.</summary>
/// <param name="Info">What is known of it.</param>
/// <param name="Content">Its bytes.</param>
public sealed record LegacyObject(LegacyObjectInfo Info, ReadOnlyMemory<byte> Content);

/// <summary>An object that a detector found, as the earlier services wrote it.</summary>
/// <param name="Class">The class's name.</param>
/// <param name="Cx">The middle from the left, as a part (0 to 1) of the picture's width.</param>
/// <param name="Cy">The middle from the top, as a part of its height.</param>
/// <param name="Width">Its width, as a part.</param>
/// <param name="Height">Its height, as a part.</param>
public sealed record LegacyLabel(string Class, double Cx, double Cy, double Width, double Height);

/// <summary>A row of the table in which earlier services kept their results.</summary>
/// <param name="PredictionId">Its key.</param>
/// <param name="ChatId">The chat that asked.</param>
/// <param name="OriginalImgPath">The key of the object that the earlier bot sends into the chat.</param>
/// <param name="PredictedImgPath">The key of the annotated picture.</param>
/// <param name="Labels">What was found.</param>
/// <param name="Time">When, in seconds since 1970.</param>
public sealed record LegacyRow(string PredictionId, long ChatId, string OriginalImgPath, string PredictedImgPath, IReadOnlyList<LegacyLabel> Labels, double Time)
{
    /// <summary>Why nothing was found, for bots that hear of rows only; null where that is said elsewhere, and where there is a result.</summary>
    public string? Error { get; init; }
}

/// <summary>
/// The queues, objects and rows by which the parts of an earlier service talked to each other. All of them belong to others:
/// nothing here is made, and nothing deleted but the messages that were dealt with. What can't be reached is
/// <see cref="ErrorCodes.StoreUnavailable"/>.
/// </summary>
public interface ILegacyPost
{
    /// <summary>Receives messages, ten at most; waits until there is one, or for so long. One that isn't deleted comes again.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task<IReadOnlyList<LegacyMessage>> ReceiveAsync(string queue, TimeSpan wait, CancellationToken cancel);

    /// <summary>Deletes a message that was received.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task DeleteAsync(string queue, LegacyMessage message, CancellationToken cancel);

    /// <summary>Lets a message that was received come again after a while.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task ReturnAsync(string queue, LegacyMessage message, TimeSpan after, CancellationToken cancel);

    /// <summary>Sends a message; its id once the queue has it.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task<string> SendAsync(string queue, string body, CancellationToken cancel);

    /// <summary>True for a queue that moves what comes too often to a dead-letter queue; false also where that may not be known.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task<bool> HasDeadLettersAsync(string queue, CancellationToken cancel);

    /// <summary>What is known of an object; null if there is none.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task<LegacyObjectInfo?> FindAsync(string bucket, string key, CancellationToken cancel);

    /// <summary>An object; null if there is none.</summary>
    /// <param name="bucket">Its bucket.</param>
    /// <param name="key">Its key.</param>
    /// <param name="most">Most bytes that it may have.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.BodyTooLarge"/>, or <see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task<LegacyObject?> GetAsync(string bucket, string key, long most, CancellationToken cancel);

    /// <summary>Writes an object, over one that is there.</summary>
    /// <param name="bucket">Its bucket.</param>
    /// <param name="key">Its key.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="mediaType">What they are.</param>
    /// <param name="mark">Tells it from what other programs write: up to 1000 ASCII characters.</param>
    /// <param name="cancel">Then it is there whole or not at all.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task PutAsync(string bucket, string key, ReadOnlyMemory<byte> content, string mediaType, string mark, CancellationToken cancel);

    /// <summary>Writes a row, over one with the same key.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>.</exception>
    Task PutRowAsync(string table, LegacyRow row, CancellationToken cancel);

    /// <summary>The labels of a row; null if there is none.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>, or <see cref="ErrorCodes.ModelOutputInvalid"/> for a row without labels.</exception>
    Task<IReadOnlyList<LegacyLabel>?> FindLabelsAsync(string table, string predictionId, CancellationToken cancel);

    /// <summary>Looks whether a part is there and may be used; changes nothing.</summary>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidSettings"/>: it isn't there, or may not be used; <see cref="ErrorCodes.StoreUnavailable"/>: that can't be told now.
    /// </exception>
    Task CheckAsync(LegacyPart part, CancellationToken cancel);
}
