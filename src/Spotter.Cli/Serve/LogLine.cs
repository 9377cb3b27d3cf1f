using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Spotter.Cli.Settings;

namespace Spotter.Cli.Serve;

/// <summary>
/// Writes an event as one line, whatever it holds: time, level, the part of the program, what happened, and the error with
/// its causes. Where in the program an error came from is only told at the level <c>debug</c>.
/// </summary>
internal sealed class LogLine(LogSection settings, TimeProvider time) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name by which the console finds it.</summary>
    public const string FormatterName = "spotter";

    private const int MostCauses = 5;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var now = time.GetUtcNow();
        var part = logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..];
        var error = logEntry.Exception is { } exception ? settings.Level <= LogLevel.Debug ? exception.ToString() : Causes(exception) : null;
        if (settings.Format == LogFormat.Json)
        {
            var span = Activity.Current is { IdFormat: ActivityIdFormat.W3C } here ? here : null;
            textWriter.WriteLine(JsonSerializer.Serialize(
                new LogObject(now, Word(logEntry.LogLevel), part, message, error)
                {
                    Values = ValuesOf(logEntry.State),
                    Trace = span?.TraceId.ToHexString(),
                    Span = span?.SpanId.ToHexString(),
                },
                LogJson.Default.LogObject));
            return;
        }
        textWriter.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{now.ToLocalTime():HH:mm:ss.fff} {Word(logEntry.LogLevel)} {part}: {PlainText.OneLine(message)}{(error is null ? "" : $" ({PlainText.OneLine(error)})")}"));
    }

    /// <summary>What the message was made of, each by its name in small letters first, as <c>job</c>; null when it is made of nothing.</summary>
    private static SortedDictionary<string, string>? ValuesOf<TState>(TState state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> parts)
            return null;
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in parts)
        {
            if (name.Length > 0 && name[0] != '{')
                values[JsonNamingPolicy.CamelCase.ConvertName(name)] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }
        return values.Count == 0 ? null : values;
    }

    private static string Causes(Exception exception)
    {
        var causes = new List<string>();
        for (Exception? cause = exception; cause is not null && causes.Count < MostCauses; cause = cause.InnerException)
        {
            var text = cause is Spotter.Core.SpotterException ? cause.Message : $"{cause.GetType().Name}: {cause.Message}";
            if (!causes.Exists(c => c.Contains(cause.Message, StringComparison.Ordinal)))
                causes.Add(text);
        }
        return string.Join(" <- ", causes);
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}

/// <summary>An event for programs.</summary>
/// <param name="Time">When, in UTC.</param>
/// <param name="Level">How serious it is.</param>
/// <param name="Part">The part of the program.</param>
/// <param name="Message">What happened.</param>
/// <param name="Error">The error with its causes; null without one.</param>
internal sealed record LogObject(DateTimeOffset Time, string Level, string Part, string Message, string? Error)
{
    /// <summary>What the message was made of, by name; null when it is made of nothing.</summary>
    public IReadOnlyDictionary<string, string>? Values { get; init; }

    /// <summary>The trace that it belongs to, 32 hexadecimal digits; null when it belongs to none.</summary>
    public string? Trace { get; init; }

    /// <summary>The span that it belongs to, 16 hexadecimal digits.</summary>
    public string? Span { get; init; }
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(
    PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
[System.Text.Json.Serialization.JsonSerializable(typeof(LogObject))]
internal sealed partial class LogJson : System.Text.Json.Serialization.JsonSerializerContext;
