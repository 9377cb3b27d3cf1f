using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Spotter.Cli.Settings;

namespace Spotter.Cli.Serve;

/// <summary>Logs go to standard error, so that standard output holds only what a command prints.</summary>
internal static class Logging
{
    public static void Configure(ILoggingBuilder logging, LogSection settings)
    {
        logging.AddConsole(console =>
        {
            console.FormatterName = LogLine.FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        logging.Services.AddSingleton<ConsoleFormatter>(new LogLine(settings, TimeProvider.System));
        logging.SetMinimumLevel(settings.Level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        // What keeps the service from starting is told by the command, in one line. A part that breaks later is critical.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // Whoever asks whether the service is ready is answered why it is not.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // The handler of problems logs what is our fault, once and with its path.
        logging.AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None);
    }
}
