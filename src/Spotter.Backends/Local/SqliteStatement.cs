using System.Text;
using SQLitePCL;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>
/// A prepared statement of one connection, and its current row. Belongs to the connection, which hands it out
/// again and again; disposing of it only ends the present use. Parameters count from 1, columns from 0.
/// </summary>
internal sealed class SqliteStatement(SqliteConnection connection, sqlite3_stmt handle) : IDisposable
{
    private const int StatusRecompiled = 5;
    private const int StatusSteps = 4;

    public SqliteStatement Bind(int parameter, long value)
    {
        connection.Check(raw.sqlite3_bind_int64(handle, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long? value) => value is { } number ? Bind(parameter, number) : BindNull(parameter);

    public SqliteStatement Bind(int parameter, double value)
    {
        connection.Check(raw.sqlite3_bind_double(handle, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, string? value)
    {
        if (value is null)
            return BindNull(parameter);
        if (value.Length > 128)
            return BindText(parameter, Encoding.UTF8.GetBytes(value));
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(128)];
        return BindText(parameter, bytes[..Encoding.UTF8.GetBytes(value, bytes)]);
    }

    /// <summary>Binds text that is UTF-8 already.</summary>
    public SqliteStatement BindText(int parameter, ReadOnlySpan<byte> utf8)
    {
        // An empty span has no address, which SQLite takes for null.
        connection.Check(utf8.IsEmpty ? raw.sqlite3_bind_text(handle, parameter, "") : raw.sqlite3_bind_text(handle, parameter, utf8));
        return this;
    }

    /// <summary>Binds text that is UTF-8 already, or null.</summary>
    public SqliteStatement BindText(int parameter, byte[]? utf8) =>
        utf8 is null ? BindNull(parameter) : BindText(parameter, utf8.AsSpan());

    /// <summary>Ids are kept as their 16 bytes, half the size of their digits.</summary>
    public SqliteStatement Bind(int parameter, JobId id)
    {
        Span<byte> bytes = stackalloc byte[JobId.Length / 2];
        Convert.FromHexString(id.Value, bytes, out _, out _);
        connection.Check(raw.sqlite3_bind_blob(handle, parameter, bytes));
        return this;
    }

    public SqliteStatement BindNull(int parameter)
    {
        connection.Check(raw.sqlite3_bind_null(handle, parameter));
        return this;
    }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code == raw.SQLITE_DONE)
            return false;
        throw connection.Fault(code);
    }

    /// <summary>Runs it to its end; how many rows it changed.</summary>
    public int Run()
    {
        using (this)
        {
            while (Step())
            {
            }
            return connection.Changes;
        }
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    public long Long(int column) => raw.sqlite3_column_int64(handle, column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public double Double(int column) => raw.sqlite3_column_double(handle, column);

    public int Int(int column) => raw.sqlite3_column_int(handle, column);

    public bool Bool(int column) => Int(column) != 0;

    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(handle, column));

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public byte[] Bytes(int column) => raw.sqlite3_column_blob(handle, column).ToArray();

    public byte[]? BytesOrNull(int column) => IsNull(column) ? null : Bytes(column);

    public JobId Id(int column) => JobId.Parse(Convert.ToHexStringLower(raw.sqlite3_column_blob(handle, column)));

    /// <summary>Ends this use. What went wrong was thrown by <see cref="Step"/>; the reset only repeats it.</summary>
    public void Dispose() => _ = raw.sqlite3_reset(handle);

    /// <summary>See <see cref="SqliteConnection.TakeSteps"/>.</summary>
    public long TakeSteps() => raw.sqlite3_stmt_status(handle, StatusSteps, 1);

    /// <summary>How often it was compiled anew.</summary>
    public long Recompiled => raw.sqlite3_stmt_status(handle, StatusRecompiled, 0);

    /// <summary>Frees the statement; for its connection only.</summary>
    public void Close() => handle.Dispose();
}
