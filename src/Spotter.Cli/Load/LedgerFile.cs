using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;

namespace Spotter.Cli.Load;

/// <summary>A line of a recorded ledger: the first tells the run, each other one an acceptance or an end.</summary>
internal sealed record LedgerLine
{
    /// <summary>Of the first line: the name of the run.</summary>
    public string? Run { get; init; }

    /// <summary>Of the first line: how many requests there should be.</summary>
    public int? Jobs { get; init; }

    /// <summary>Of the first line: where they were sent.</summary>
    public Uri? Url { get; init; }

    /// <summary>Of the first line: when it began.</summary>
    public DateTimeOffset? Begun { get; init; }

    /// <summary>Of an acceptance: which request it was.</summary>
    public int? Number { get; init; }

    /// <summary>The job.</summary>
    public string? Id { get; init; }

    /// <summary>Of an end: how.</summary>
    public string? State { get; init; }

    /// <summary>Of an end: a hash of what must not change any more.</summary>
    public string? Signature { get; init; }
}

/// <summary>Writes a ledger down as it fills, so that it can be checked later, also when this program does not live to see the end.</summary>
internal sealed class LedgerFile : IDisposable
{
    private readonly StreamWriter file;

    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="ledger">The ledger, before the first request.</param>
    /// <param name="jobs">How many requests there will be.</param>
    /// <param name="url">Where they are sent.</param>
    /// <param name="begun">When.</param>
    /// <exception cref="SpotterException">The file can't be written.</exception>
    public LedgerFile(string path, LoadLedger ledger, int jobs, Uri url, DateTimeOffset begun)
    {
        try
        {
            file = new StreamWriter(path) { AutoFlush = true };
            Write(new() { Run = ledger.Run, Jobs = jobs, Url = url, Begun = begun });
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The ledger {path} can't be written: {unwritable.Message}", unwritable);
        }
        ledger.OnAccepted = entry => Write(new() { Number = entry.Number, Id = entry.Id });
        ledger.OnEnded = entry => Write(new() { Id = entry.Id, State = entry.State, Signature = entry.Signature });
    }

    /// <summary>Reads a ledger back.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The ledger, how many requests there should be, and where they were sent.</returns>
    /// <exception cref="SpotterException">It can't be read, or is none.</exception>
    public static (LoadLedger Ledger, int Jobs, Uri Url) Read(string path)
    {
        try
        {
            using var lines = File.ReadLines(path).GetEnumerator();
            if (!lines.MoveNext() || Parse(lines.Current) is not { Run: { } run, Jobs: { } jobs and > 0, Url: { } url })
                throw new JsonException();
            var ledger = new LoadLedger(run, jobs);
            while (lines.MoveNext())
            {
                if (Parse(lines.Current) is not { Id: { } id } line)
                    continue;
                if (line is { Number: { } number and >= 0 } && number < jobs)
                    ledger.Accept(number, id, default, default);
                else if (line is { State: { } state, Signature: { } signature })
                    ledger.Recall(id, state, signature);
            }
            return (ledger, jobs, url);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The ledger {path} can't be read: {unreadable.Message}", unreadable);
        }
        catch (JsonException unreadable)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{path} is no ledger; name a file that `spotter load --record` has written.", unreadable);
        }
    }

    public void Dispose() => file.Dispose();

    private static LedgerLine? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, LedgerJson.Default.LedgerLine);
        }
        catch (JsonException)
        {
            // The last line of a run that was killed may be half of one.
            return null;
        }
    }

    private void Write(LedgerLine line) => file.WriteLine(JsonSerializer.Serialize(line, LedgerJson.Default.LedgerLine));
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LedgerLine))]
internal sealed partial class LedgerJson : JsonSerializerContext;
