using Microsoft.Extensions.Logging;
using Spotter.Scaling;

namespace Spotter.Backends.Scaling;

/// <summary>What scaling has learned, in a file that is replaced as a whole.</summary>
/// <param name="file">The file's path; it need not exist.</param>
/// <param name="log">Told when it can't be read or written.</param>
public sealed partial class LearnedFile(string file, ILogger<LearnedFile> log) : IPolicyMemory
{
    private bool failed;

    /// <inheritdoc/>
    public string? Load()
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file) : null;
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            LogUnread(unread, file);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Save(string state)
    {
        try
        {
            var anew = file + ".new";
            File.WriteAllText(anew, state);
            File.Move(anew, file, overwrite: true);
            failed = false;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            if (!failed)
                LogUnwritten(full, file);
            failed = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What scaling had learned can't be read from {File}; it begins anew")]
    private partial void LogUnread(Exception exception, string file);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What scaling has learned can't be written to {File}; after a restart it begins anew")]
    private partial void LogUnwritten(Exception exception, string file);
}
