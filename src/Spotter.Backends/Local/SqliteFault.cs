using SQLitePCL;
using Spotter.Core;

namespace Spotter.Backends.Local;

/// <summary>What SQLite answered instead of doing what it was told.</summary>
internal sealed class SqliteFault(int code, string detail) : Exception($"SQLite: {detail} (code {code})")
{
    /// <summary>The shared-memory file can't grow: an I/O error by its code, a full disk by its cause.</summary>
    private const int SharedMemoryFull = raw.SQLITE_IOERR | (19 << 8);

    /// <summary>The extended result code.</summary>
    public int Code { get; } = code;

    /// <summary>
    /// True when nothing that is in memory can be trusted to be on the disk any more. In particular a failed fsync
    /// may have thrown the pages away, so that the next one succeeds without having written them.
    /// </summary>
    public bool IsFatal =>
#if PLANTED_BUGS
        !PlantedBug.Is("failed-flush-ignored") &&
#endif
        Code != SharedMemoryFull
        && (Code & 0xff) is raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_READONLY;

    /// <summary>The refusal that callers of the ports hear.</summary>
    public SpotterException ToRefusal() => (Code & 0xff) switch
    {
        raw.SQLITE_FULL => DiskFull(),
        raw.SQLITE_IOERR when Code == SharedMemoryFull => DiskFull(),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new(
            ErrorCodes.Busy, "The job store is locked by another program; try again in some seconds.", this),
        raw.SQLITE_CONSTRAINT => new(ErrorCodes.Internal, "The job store refused a row that breaks its rules.", this),
        _ => new(ErrorCodes.StoreUnavailable, $"The job store failed ({detail}); restart the service once its disk is well.", this),
    };

    private SpotterException DiskFull() =>
        new(ErrorCodes.DiskFull, "The disk of the job store is full; free some space and try again.", this);
}
