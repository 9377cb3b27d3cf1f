using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Spotter.Cli.Serve;

/// <summary>Logs go to standard error, so that standard output holds only what a command prints.</summary>
internal static class Logging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.ColorBehavior = LoggerColorBehavior.Default;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        // What keeps the service from starting is told by the command, in one line. A part that breaks later is critical.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // Whoever asks whether the service is ready is answered why it is not.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // The handler of problems logs what is our fault, once and with its path.
        logging.AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None);
    }

    /// <summary>For parts that know no logger: an error of theirs as a warning.</summary>
    public static Action<Exception> Reporter(this ILoggerFactory loggers, string category)
    {
        var log = loggers.CreateLogger(category);
        return error => log.LogWarning(error, "{Part} failed; trying again", category);
    }
}
