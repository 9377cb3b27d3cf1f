using System.Text.Json;
using Microsoft.Extensions.Logging;
using Spotter.Scaling;

namespace Spotter.Backends.Scaling;

/// <summary>
/// The decisions of the scale loop in a file, one JSON object per line, oldest first. A line that was cut by a crash is
/// left out; a disk that is full costs decisions, never scaling.
/// </summary>
public sealed partial class DecisionFile
{
    // The file is written anew when half of it is more than anybody can ask for.
    private const int MostLines = 2 * DecisionLog.Kept;

    private readonly string file;
    private readonly ILogger log;
    private int lines;
    private bool failed;

    private DecisionFile(string file, ILogger log)
    {
        this.file = file;
        this.log = log;
    }

    /// <summary>The log of what the file holds and of what is decided from now on.</summary>
    /// <param name="file">The file's path; it need not exist.</param>
    /// <param name="log">Told when it can't be read or written.</param>
    public static DecisionLog Open(string file, ILogger<DecisionFile> log)
    {
        var opened = new DecisionFile(file, log);
        return new DecisionLog(opened.Read(), opened.Keep);
    }

    private List<LoggedDecision> Read()
    {
        try
        {
            if (!File.Exists(file))
                return [];
            var all = File.ReadAllLines(file);
            lines = all.Length;
            // What was cut by a crash must not swallow the next one.
            File.AppendAllText(file, all.Length > 0 && Parse(all[^1]) is null ? "\n" : "");
            return [.. all.TakeLast(DecisionLog.Kept).Select(Parse).OfType<LoggedDecision>()];
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            LogUnread(unread, file);
            return [];
        }
    }

    private static LoggedDecision? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ScalingJson.Default.LoggedDecision);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Keep(LoggedDecision decision)
    {
        var line = JsonSerializer.Serialize(decision, ScalingJson.Default.LoggedDecision);
        try
        {
            File.AppendAllText(file, line + "\n");
            if (++lines > MostLines)
                Shorten();
            failed = false;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            if (!failed)
                LogUnwritten(full, file);
            failed = true;
        }
    }

    private void Shorten()
    {
        var anew = file + ".new";
        File.WriteAllLines(anew, File.ReadLines(file).TakeLast(DecisionLog.Kept));
        File.Move(anew, file, overwrite: true);
        lines = DecisionLog.Kept;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Earlier scaling decisions can't be read from {File}")]
    private partial void LogUnread(Exception exception, string file);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Scaling decisions can't be written to {File}; they are lost with the process")]
    private partial void LogUnwritten(Exception exception, string file);
}
