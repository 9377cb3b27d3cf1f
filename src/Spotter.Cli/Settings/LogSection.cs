using Microsoft.Extensions.Logging;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>How a log line is written.</summary>
internal enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text,

    /// <summary>A JSON object on a line, for programs.</summary>
    Json,
}

/// <summary>What is logged, and how.</summary>
/// <param name="Level">The least serious level that is logged.</param>
/// <param name="Format">How.</param>
internal sealed record LogSection(LogLevel Level, LogFormat Format)
{
    private static readonly Setting<LogLevel> LevelSetting = new(
        "log.level", "The least serious level that is logged; `debug` also tells where in the program an error came from.", LevelValues, LogLevel.Information) { Flag = "--log-level" };

    private static readonly Setting<LogFormat> FormatSetting = new("log.format", "Log lines for people, or JSON objects for programs.", SettingValues.Choice<LogFormat>(), LogFormat.Text) { Flag = "--log-format" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Setting> All { get; } = [LevelSetting, FormatSetting];

    /// <summary>The settings as asked for.</summary>
    public static LogSection Read(SettingReader settings) => new(settings.Get(LevelSetting), settings.Get(FormatSetting));

    /// <summary>The same settings as variables, for the workers that a service starts.</summary>
    public IReadOnlyDictionary<string, string> AsVariables() => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [LevelSetting.Variable] = LevelSetting.Values.Write(Level),
        [FormatSetting.Variable] = FormatSetting.Values.Write(Format),
    };

    private static SettingValues<LogLevel> LevelValues
    {
        get
        {
            var all = SettingValues.Choice<LogLevel>();
            const string Words = "debug, information, warning or error";
            return all with { Words = Words, Name = "LEVEL", Read = text => all.Read(text) is (true, LogLevel.Debug or LogLevel.Information or LogLevel.Warning or LogLevel.Error) read ? read : (false, default) };
        }
    }
}
