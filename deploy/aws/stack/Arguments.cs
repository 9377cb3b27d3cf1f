namespace Spotter.Cloud;

/// <summary>The command line: settings as <c>KEY=VALUE</c>, and <c>--out FILE</c>.</summary>
internal static class Arguments
{
    /// <exception cref="SettingFault">What is wrong with them.</exception>
    public static (StackSettings Settings, string? File) Read(IReadOnlyList<string> words)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        string? file = null;
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == "--out")
            {
                file = ++i < words.Count ? words[i] : throw new SettingFault("--out needs the name of a file.");
                continue;
            }
            var at = words[i].IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw new SettingFault($"'{words[i]}' is no setting: write KEY=VALUE, or --out FILE.");
            values[words[i][..at]] = words[i][(at + 1)..];
        }
        return (SettingReader.Read(values), file);
    }
}
