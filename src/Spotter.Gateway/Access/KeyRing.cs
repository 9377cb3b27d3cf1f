using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spotter.Core;

namespace Spotter.Gateway.Access;

/// <summary>
/// The keys that are good at this moment: those of a file that is read again when it has changed. Once there was such
/// a file the service stays closed to who has no key, even if it goes away, breaks or is empty: losing a file opens no door.
/// </summary>
public sealed partial class KeyRing
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly KeyFile? file;
    private readonly TimeProvider time;
    private readonly ILogger<KeyRing> log;
    private readonly Lock gate = new();
    private volatile IReadOnlyList<(ApiKey Key, byte[] Hash)> keys = [];
    private volatile bool closed;
    private long lookedAt;
    private (DateTime Written, long Bytes)? seen;

    /// <summary>Reads the file.</summary>
    /// <param name="file">The file; null for a service that never has keys.</param>
    /// <param name="required">True when nobody gets in without a key, even while there is none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told what can't be read.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the file can't be used.</exception>
    public KeyRing(KeyFile? file, bool required, TimeProvider time, ILogger<KeyRing> log)
    {
        (this.file, this.time, this.log, closed) = (file, time, log, required);
        lookedAt = time.GetTimestamp();
        if (file is null)
            return;
        seen = Stamp();
        Take(file.Read());
    }

    /// <summary>True when every request has to show a key.</summary>
    public bool Closed
    {
        get
        {
            LookAgain();
            return closed;
        }
    }

    /// <summary>The key that was shown; null when it is none of these. Takes as long for each answer.</summary>
    public ApiKey? Find(string shown)
    {
        LookAgain();
        var hash = ApiKey.HashOf(shown);
        ApiKey? found = null;
        foreach (var (key, known) in keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, known))
                found = key;
        }
        return found;
    }

    private void LookAgain()
    {
        if (file is null || time.GetElapsedTime(Interlocked.Read(ref lookedAt)) < LookEvery)
            return;
        lock (gate)
        {
            if (time.GetElapsedTime(lookedAt) < LookEvery)
                return;
            Interlocked.Exchange(ref lookedAt, time.GetTimestamp());
            var stamp = Stamp();
            if (stamp == seen)
                return;
            try
            {
                Take(file.Read());
                seen = stamp;
                LogRead(file.Path, keys.Count);
            }
            catch (SpotterException unreadable)
            {
                // Those that were good stay good until somebody has put it right.
                LogUnreadable(unreadable);
            }
        }
    }

    private void Take(IReadOnlyList<ApiKey>? read)
    {
        keys = [.. (read ?? []).Select(key => (key, Convert.FromHexString(key.Hash)))];
        // Last: nobody gets in between the two. A file without keys is what revoking the last one leaves.
        closed |= read is not null;
    }

    private (DateTime Written, long Bytes)? Stamp()
    {
        try
        {
            // A mounted secret is a link into a folder that is swapped.
            var info = (FileInfo?)File.ResolveLinkTarget(file!.Path, returnFinalTarget: true) ?? new FileInfo(file.Path);
            return info.Exists ? (info.LastWriteTimeUtc, info.Length) : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} has changed: {Count} keys are good now")]
    private partial void LogRead(string file, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "The keys stay as they were")]
    private partial void LogUnreadable(Exception exception);
}
