using System.Data.Common;
using System.Text;
using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>
/// The way to the server: connections whose commits are durable, and some whose commits may be lost in a crash, for
/// what a queue may lose. Statements come back as answers or as <see cref="SpotterException"/>; no wait is without end.
/// </summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    private const int DurableConnections = 12;
    private const int LaxConnections = 6;

    // What is asked all the time takes milliseconds. A connection that swallows it (a firewall has forgotten it, a machine has
    // vanished) is noticed by that.
    private const int PromptSeconds = 4;

    private readonly NpgsqlDataSource durable;
    private readonly NpgsqlDataSource lax;
    private readonly NpgsqlDataSource listening;

    private PostgresDatabase(NpgsqlDataSource durable, NpgsqlDataSource lax, NpgsqlDataSource listening) =>
        (this.durable, this.lax, this.listening) = (durable, lax, listening);

    /// <summary>The schema, which also names the channel of the notifications.</summary>
    public required string Schema { get; init; }

    /// <summary>See <see cref="Backend.StoreId"/>.</summary>
    public string StoreId { get; private set; } = "";

    /// <summary>Reaches the server and brings the schema up to date.</summary>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static PostgresDatabase Open(PostgresSettings settings)
    {
        var schema = PostgresAddress.CheckSchema(settings.Schema);
        var address = PostgresAddress.Parse(settings.Address);
        var place = PostgresAddress.Describe(address);
        var database = new PostgresDatabase(
            PostgresPools.Open(address, schema, DurableConnections, isDurable: true),
            PostgresPools.Open(address, schema, LaxConnections, isDurable: false),
            PostgresPools.OpenListening(address, schema))
        { Schema = schema };
        try
        {
            PostgresPooler.Refuse(database.durable);
            using var connection = database.durable.OpenConnection();
            PostgresSchema.Update(connection, schema);
            database.StoreId = PostgresSchema.StoreId(connection, schema);
            return database;
        }
        catch (Exception e)
        {
            database.Dispose();
            if (!PostgresFault.IsFault(e) && e is not SpotterException)
                throw;
            var refusal = PostgresFault.ToRefusal(e);
            throw new SpotterException(refusal.Code, $"The job store at {place} can't be opened. {refusal.Message}", e);
        }
    }

    /// <summary>Reaches the server, and changes nothing; where it is.</summary>
    /// <exception cref="SpotterException">That is not possible.</exception>
    public static string Probe(string address)
    {
        var parsed = PostgresAddress.Parse(address);
        var place = PostgresAddress.Describe(parsed);
        try
        {
            using var source = PostgresPools.Open(parsed, PostgresSettings.DefaultSchema, connections: 2, isDurable: true);
            PostgresPooler.Refuse(source);
            using var connection = source.OpenConnection();
            return $"PostgreSQL {connection.PostgreSqlVersion} at {place}";
        }
        catch (Exception e) when (PostgresFault.IsFault(e) || e is SpotterException)
        {
            var refusal = PostgresFault.ToRefusal(e);
            throw new SpotterException(refusal.Code, $"The job store at {place} can't be reached. {refusal.Message}", e);
        }
    }

    /// <summary>Runs one statement whose commit is durable; what <paramref name="read"/> makes of its rows.</summary>
    public Task<T> CommitAsync<T>(string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read) =>
        RunAsync(durable, sql, bind, read, CancellationToken.None);

    /// <summary>Runs one statement whose commit the server may lose when it crashes.</summary>
    public Task<T> ApplyAsync<T>(string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read) =>
        RunAsync(lax, sql, bind, read, CancellationToken.None);

    /// <summary>Asks a question.</summary>
    /// <exception cref="SpotterException">There is no answer.</exception>
    public Task<T> ReadAsync<T>(
        string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel) =>
        WriteAsync(sql, bind, read, cancel);

    /// <summary>As <see cref="ReadAsync"/>, for what is asked about once a second: given up soon.</summary>
    /// <exception cref="SpotterException">There is no answer.</exception>
    public async Task<T> ReadPromptlyAsync<T>(string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel)
    {
        try
        {
            cancel.ThrowIfCancellationRequested();
            await using var connection = await durable.OpenConnectionAsync(cancel);
            return await RunAsync(connection, sql, bind, read, PromptSeconds);
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw Refusal(e);
        }
    }

    /// <summary>As <see cref="CommitAsync"/>, for one caller alone.</summary>
    /// <exception cref="SpotterException">It was not done, or it is not known.</exception>
    public async Task<T> WriteAsync<T>(
        string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel)
    {
        try
        {
            return await RunAsync(durable, sql, bind, read, cancel);
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw PostgresFault.ToRefusal(e);
        }
    }

    /// <summary>
    /// As <see cref="ApplyAsync{T}(string, Action{NpgsqlParameterCollection}, Func{NpgsqlDataReader, Task{T}})"/>: several
    /// statements that go to the server together and are done together or not at all; one caller's.
    /// </summary>
    /// <exception cref="SpotterException">They were not done, or it is not known.</exception>
    public async Task<T> ApplyAsync<T>(IReadOnlyList<PostgresStatement> statements, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel)
    {
        try
        {
            cancel.ThrowIfCancellationRequested();
            await using var connection = await lax.OpenConnectionAsync(cancel);
            await using var batch = new NpgsqlBatch(connection) { Timeout = PromptSeconds };
            foreach (var statement in statements)
                batch.BatchCommands.Add(statement.ToCommand());
            await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
            var value = await read(reader);
            await reader.CloseAsync();
            return value;
        }
        catch (Exception e) when (PostgresFault.IsFault(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw Refusal(e);
        }
    }

    /// <summary>Runs several statements that are done together or not at all, durably; again when they collide with others.</summary>
    /// <exception cref="SpotterException">They were not done.</exception>
    public async Task<T> TransactAsync<T>(Func<NpgsqlConnection, Task<T>> body, CancellationToken cancel)
    {
        const int MostCollisions = 5;
        for (var collisions = 1; ; collisions++)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                await using var connection = await durable.OpenConnectionAsync(CancellationToken.None);
                await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
                var value = await body(connection);
                await transaction.CommitAsync(CancellationToken.None);
                return value;
            }
            catch (Exception e) when (PostgresFault.IsCollision(e) && collisions < MostCollisions)
            {
                // Taken back whole, so it can be done again.
            }
            catch (Exception e) when (PostgresFault.IsFault(e))
            {
                throw PostgresFault.ToRefusal(e);
            }
        }
    }

    /// <summary>A connection of its own, for notifications.</summary>
    public async Task<NpgsqlConnection> ListenAsync(CancellationToken cancel) => await listening.OpenConnectionAsync(cancel);

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await listening.DisposeAsync();
        await lax.DisposeAsync();
        await durable.DisposeAsync();
    }

    // The statements are constants of this folder; what comes from outside is always a parameter.
#pragma warning disable CA2100
    /// <summary>A statement on a connection, for <see cref="TransactAsync"/>.</summary>
    public static async Task<T> RunAsync<T>(
        NpgsqlConnection connection, string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read, int seconds = PostgresPools.CommandSeconds)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = seconds };
        bind(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        var value = await read(reader);
        // Errors may come after the last row that was asked for.
        await reader.CloseAsync();
        return value;
    }

    private static async Task<T> RunAsync<T>(
        NpgsqlDataSource source, string sql, Action<NpgsqlParameterCollection> bind, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        await using var connection = await source.OpenConnectionAsync(cancel);
        return await RunAsync(connection, sql, bind, read);
    }
#pragma warning restore CA2100

    /// <summary>When one connection swallows what it is told, its neighbours do too, most likely: those that are idle are not used again.</summary>
    private SpotterException Refusal(Exception fault)
    {
        if (fault is TimeoutException or NpgsqlException { InnerException: TimeoutException })
        {
            durable.Clear();
            lax.Clear();
        }
        return PostgresFault.ToRefusal(fault);
    }

    private void Dispose()
    {
        listening.Dispose();
        lax.Dispose();
        durable.Dispose();
    }
}

/// <summary>A statement of several.</summary>
/// <param name="Sql">A constant of this folder.</param>
/// <param name="Bind">Adds its parameters.</param>
internal sealed record PostgresStatement(string Sql, Action<NpgsqlParameterCollection> Bind)
{
    public NpgsqlBatchCommand ToCommand()
    {
        var command = new NpgsqlBatchCommand(Sql);
        Bind(command.Parameters);
        return command;
    }
}

/// <summary>Reading rows and binding values, in one place.</summary>
internal static class PostgresValues
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Every row, as <paramref name="read"/> makes of it.</summary>
    public static async Task<List<T>> ListAsync<T>(this NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The first row; null when there is none.</summary>
    public static async Task<T?> FirstAsync<T>(this NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read)
        where T : class =>
        await reader.ReadAsync() ? read(reader) : null;

    /// <summary>A text that may be missing.</summary>
    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>A number that may be missing.</summary>
    public static long? LongOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    /// <summary>A value.</summary>
    /// <exception cref="EncoderFallbackException">A text that is not Unicode. Npgsql finds that while it writes to the connection, whose next user then reads what is left of it.</exception>
    public static NpgsqlParameterCollection With<T>(this NpgsqlParameterCollection parameters, T value)
    {
        if (value is string text)
            Check(text);
        else if (value is string?[] texts)
            Array.ForEach(texts, Check);
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return parameters;
    }

    /// <summary>A text that may be missing.</summary>
    /// <exception cref="EncoderFallbackException">As <see cref="With{T}"/>.</exception>
    public static NpgsqlParameterCollection WithText(this NpgsqlParameterCollection parameters, string? value)
    {
        Check(value);
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value });
        return parameters;
    }

    /// <summary>An id that may be missing.</summary>
    public static NpgsqlParameterCollection WithId(this NpgsqlParameterCollection parameters, Spotter.Jobs.JobId? id)
    {
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)id?.ToGuid() ?? DBNull.Value });
        return parameters;
    }

    /// <summary>Ids; null for any.</summary>
    public static NpgsqlParameterCollection WithIds(this NpgsqlParameterCollection parameters, IReadOnlyList<Spotter.Jobs.JobId>? ids)
    {
        parameters.Add(new NpgsqlParameter
        {
            NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Uuid,
            Value = ids is null ? DBNull.Value : ids.Select(i => i.ToGuid()).ToArray(),
        });
        return parameters;
    }

    /// <summary>A number that may be missing.</summary>
    public static NpgsqlParameterCollection WithInteger(this NpgsqlParameterCollection parameters, int? value)
    {
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer, Value = (object?)value ?? DBNull.Value });
        return parameters;
    }

    /// <summary>A large number that may be missing.</summary>
    public static NpgsqlParameterCollection WithLong(this NpgsqlParameterCollection parameters, long? value)
    {
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint, Value = (object?)value ?? DBNull.Value });
        return parameters;
    }

    private static void Check(string? text)
    {
        if (text is null)
            return;
        _ = Strict.GetByteCount(text);
        // The server would refuse it, after it has begun to answer.
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new EncoderFallbackException("The text holds the character NUL, which PostgreSQL does not store.");
    }
}
