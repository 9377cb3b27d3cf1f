using Spotter.Core;

namespace Spotter.Backends.Local;

/// <summary>
/// The SQLite file of a data folder: one connection that writes (<see cref="SqliteWriter"/>), and a few read-only
/// ones that answer questions meanwhile, so that these don't wait for the disk.
/// </summary>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = "spotter.db";

    private const int Readers = 4;
    private readonly string path;
    private readonly TimeSpan busyTimeout;
    private readonly SqliteConnection connection;
    private readonly SemaphoreSlim readerSlots = new(Readers);
    private readonly Stack<SqliteConnection> idleReaders = new();
    private volatile bool closed;

    private SqliteDatabase(string path, TimeSpan busyTimeout, SqliteConnection connection, string storeId)
    {
        this.path = path;
        this.busyTimeout = busyTimeout;
        this.connection = connection;
        StoreId = storeId;
        Writer = new SqliteWriter(connection);
    }

    /// <summary>See <see cref="Backend.StoreId"/>.</summary>
    public string StoreId { get; }

    /// <summary>What writes it.</summary>
    public SqliteWriter Writer { get; }

    /// <summary>Opens the file, making it if need be.</summary>
    /// <param name="folder">Held by this process.</param>
    /// <param name="busyTimeout">Wait for other programs that lock the file.</param>
    /// <exception cref="SpotterException">It can't be opened.</exception>
    public static SqliteDatabase Open(string folder, TimeSpan busyTimeout)
    {
        var file = Path.Combine(folder, FileName);
        try
        {
            var opened = new SqliteConnection(file, readOnly: false, busyTimeout);
            string storeId;
            try
            {
                opened.ExecuteScript("""
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA journal_size_limit = 67108864;
                    PRAGMA cache_size = -65536;
                    PRAGMA temp_store = MEMORY;
                    """);
#if PLANTED_BUGS
                if (PlantedBug.Is("log-not-flushed"))
                    opened.ExecuteScript("PRAGMA synchronous = OFF");
#endif
                Schema.Update(opened);
                storeId = Schema.StoreId(opened);
                DurableFiles.SyncFolder(folder);
            }
            catch
            {
                opened.Dispose();
                throw;
            }
            return new SqliteDatabase(file, busyTimeout, opened, storeId);
        }
        catch (SqliteFault fault)
        {
            throw fault.ToRefusal();
        }
        catch (IOException e)
        {
            throw new SpotterException(
                ErrorCodes.StoreUnavailable, $"The job store can't be opened ({e.Message.TrimEnd('.')}); check its disk.", e);
        }
    }

    /// <summary>Runs <paramref name="body"/> and answers once it would survive a power cut.</summary>
    public Task<T> CommitAsync<T>(Func<WriteScope, T> body, CancellationToken cancel)
    {
#if PLANTED_BUGS
        if (PlantedBug.Is("answered-before-commit"))
            return RunAsync(new WriteWork<T>(body, cancel) { AnswersEarly = true }, cancel);
#endif
        return RunAsync(new WriteWork<T>(body, cancel), cancel);
    }

    /// <summary>Runs <paramref name="body"/> and answers once it has run.</summary>
    public Task<T> ApplyAsync<T>(Func<WriteScope, T> body, CancellationToken cancel) =>
        RunAsync(new WriteWork<T>(body, cancel) { AnswersEarly = true }, cancel);

    /// <summary>Reads what is committed.</summary>
    public async Task<T> ReadAsync<T>(Func<SqliteConnection, T> read, CancellationToken cancel)
    {
        await readerSlots.WaitAsync(cancel);
        SqliteConnection? reader = null;
        try
        {
            if (closed)
                throw SqliteWriter.Closing();
            lock (idleReaders)
                idleReaders.TryPop(out reader);
            reader ??= new SqliteConnection(path, readOnly: true, busyTimeout);
            return read(reader);
        }
        catch (SqliteFault fault)
        {
            throw fault.ToRefusal();
        }
        finally
        {
            if (reader is not null)
            {
                lock (idleReaders)
                    idleReaders.Push(reader);
            }
            readerSlots.Release();
        }
    }

    /// <summary>The texts of all statements so far, for tests that ask how SQLite answers them while nothing runs.</summary>
    internal IReadOnlyList<string> Prepared()
    {
        lock (idleReaders)
            return [.. connection.Prepared, .. idleReaders.SelectMany(reader => reader.Prepared)];
    }

    /// <summary>How often statements were compiled anew so far, for tests, while nothing runs.</summary>
    internal long Recompiled()
    {
        lock (idleReaders)
            return connection.Recompiled + idleReaders.Sum(reader => reader.Recompiled);
    }

    /// <summary>Does what waits, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await Writer.DisposeAsync();
        closed = true;
        for (var i = 0; i < Readers; i++)
            await readerSlots.WaitAsync();
        while (idleReaders.TryPop(out var reader))
            reader.Dispose();
        connection.Dispose();

        // Whoever still asks is to hear that it is closed.
        readerSlots.Release(Readers);
    }

    private async Task<T> RunAsync<T>(WriteWork<T> unit, CancellationToken cancel)
    {
        await Writer.SendAsync(unit, cancel);
        return await unit.Answered;
    }
}
