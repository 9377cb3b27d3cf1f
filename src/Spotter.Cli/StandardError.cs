using Spotter.Core;

namespace Spotter.Cli;

/// <summary>What the user is told besides what was asked for.</summary>
internal static class StandardError
{
    /// <summary>Tells the user of an error: one line on standard error, whatever the message holds.</summary>
    public static void Complain(string message)
    {
        try
        {
            Console.Error.WriteLine("spotter: " + PlainText.OneLine(message));
        }
        catch (IOException)
        {
            // The terminal is gone, so there is nobody to tell; what is under way goes on.
        }
    }

    /// <summary>The sentence for an exception that ended a command.</summary>
    public static string OneLine(Exception error) => error switch
    {
        SpotterException => error.Message,
        IOException or UnauthorizedAccessException => error.Message,
        _ => $"an unexpected fault, {error.GetType().Name}: {error.Message} Run again with SPOTTER_DEBUG=1 to see where, and report it.",
    };
}
