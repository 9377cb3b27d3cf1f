using SQLitePCL;

namespace Spotter.Backends.Local;

/// <summary>
/// One connection to a SQLite file with its prepared statements. Used by one thread at a time. The raw interface,
/// since the jobs of a busy queue cost some microseconds each and ADO.NET would double that.
/// </summary>
internal sealed class SqliteConnection : IDisposable
{
    private const int StatusPagesWritten = 9;
    private const int NoCheckpointOnClose = 1006;
    private const int StablePlans = 1007;
    private readonly sqlite3 handle;
    private readonly Dictionary<string, SqliteStatement> statements = new(StringComparer.Ordinal);

    static SqliteConnection() => Batteries_V2.Init();

    public SqliteConnection(string path, bool readOnly, TimeSpan busyTimeout)
    {
        var flags = raw.SQLITE_OPEN_NOMUTEX | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        var code = raw.sqlite3_open_v2(path, out handle, flags, null);
        try
        {
            Check(code);
            Check(raw.sqlite3_extended_result_codes(handle, 1));
            Check(raw.sqlite3_busy_timeout(handle, (int)busyTimeout.TotalMilliseconds));
            // Else a statement with LIMIT ?1 is compiled anew each time that a number is bound to it.
            Check(raw.sqlite3_db_config(handle, StablePlans, 1, out _));
            if (readOnly)
                Execute("PRAGMA query_only = 1");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>False after SQLite has taken a whole transaction back because of an error.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(handle) == 0;

    /// <summary>Rows changed by the last statement.</summary>
    public int Changes => raw.sqlite3_changes(handle);

    /// <summary>The row id of the last row added.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(handle);

    /// <summary>The texts of the statements that are prepared, for tests that ask how SQLite answers them.</summary>
    internal IReadOnlyCollection<string> Prepared => statements.Keys;

    /// <summary>Steps of SQLite's virtual machine since this was last asked: what statements cost, whatever else the machine does.</summary>
    internal long TakeSteps() => statements.Values.Sum(statement => statement.TakeSteps());

    /// <summary>How often statements were compiled anew, which they are not to be.</summary>
    internal long Recompiled => statements.Values.Sum(statement => statement.Recompiled);

    /// <summary>The statement for this text, prepared once per connection.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (statements.TryGetValue(sql, out var known))
            return known;
        Check(raw.sqlite3_prepare_v2(handle, sql, out var prepared));
        var statement = new SqliteStatement(this, prepared);
        statements.Add(sql, statement);
        return statement;
    }

    /// <summary>Runs a statement without parameters.</summary>
    public void Execute(string sql) => Prepare(sql).Run();

    /// <summary>Runs several statements without parameters.</summary>
    public void ExecuteScript(string sql) => Check(raw.sqlite3_exec(handle, sql));

    /// <summary>The number in the only column of the only row.</summary>
    public long Scalar(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.Long(0) : 0;
    }

    /// <summary>Pages written to the log since this was last asked.</summary>
    public int TakePagesWritten()
    {
        Check(raw.sqlite3_db_status(handle, StatusPagesWritten, out var pages, out _, 1));
        return pages;
    }

    /// <summary>Copies what the log holds into the file as far as readers allow; true when nothing is left in the log.</summary>
    public bool Checkpoint()
    {
        var code = raw.sqlite3_wal_checkpoint_v2(handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var inLog, out var copied);
        if ((code & 0xff) == raw.SQLITE_BUSY)
            return false;
        Check(code);
        return inLog == copied;
    }

    /// <summary>
    /// Closing will not copy the log into the file: after a failed fsync another one may succeed without having
    /// written anything, and then the log, which has everything, would be deleted.
    /// </summary>
    public void LeaveLogOnClose() => Check(raw.sqlite3_db_config(handle, NoCheckpointOnClose, 1, out _));

    public void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Fault(code);
    }

    public SqliteFault Fault(int code)
    {
        // Set by the failing call on this connection, which no other thread uses meanwhile.
        var extended = raw.sqlite3_extended_errcode(handle);
        var detail = raw.sqlite3_errmsg(handle).utf8_to_string() ?? raw.sqlite3_errstr(code).utf8_to_string();
        return new SqliteFault((extended & 0xff) == (code & 0xff) ? extended : code, detail);
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values)
            statement.Close();
        statements.Clear();
        handle.Dispose();
    }
}
