using System.Text;
using Spotter.Backends.Opening;
using Spotter.Core.Settings;

namespace Spotter.Cli.Settings;

/// <summary>The page of the documentation about settings.</summary>
internal static class SettingsPage
{
    /// <summary>The page.</summary>
    public static string Markdown()
    {
        var page = new StringBuilder();
        page.Append($"""
            # Settings

            A setting can be given in three places. A flag goes before an environment variable, and that before the file:

            1. a flag of `spotter serve`, `spotter gateway` or `spotter worker`;
            2. an environment variable;
            3. the file `{SettingSources.FileName}` in the current folder, or the one that `--config FILE` or `{SettingSources.File.Variable}` names.

            All mistakes are told at the start, each with the place where it was made, and nothing is started then. A setting that
            does not exist is such a mistake in the file, and a warning in the environment. Secrets have no flags, since others can
            see what is typed; give them in a variable, or in a file of their own that only their reader may read.

            ```yaml
            # {SettingSources.FileName}
            host: 0.0.0.0
            models: [yolox_nano, plates]
            keep:
              picturesHours: 2
            scaling:
              maxWorkers: 6
            pools:
              plates:
                models: [plates]
                max: 2
                preset: fast
              rest:
            ```

            In a variable, several values have commas between them: `SPOTTER__MODELS=yolox_nano,plates`. Give a flag several times:
            `--model yolox_nano --model plates`. The pools of one place replace those of all places behind it.


            """.ReplaceLineEndings("\n"));
        Table(page, "The gateway", GatewaySection.All);
        Table(page, "Where jobs and pictures are kept", BackendFactory.Settings);
        Table(page, "How long things are kept and held", LeaseSection.All);
        Table(page, "Webhooks", WebhookSection.All);
        Table(page, "How many workers there are", ScalingSection.All);
        page.Append("## Pools\n\nBelow `pools` each pool has a name and these settings. What is left out is as the settings above say.\n\n| in the file | what it does | takes |\n|---|---|---|\n");
        foreach (var setting in PoolSection.All)
            page.Append($"| `{setting.Key}` | {Cell(setting.Description)} | {Cell(setting.Words)} |\n");
        page.Append("\nOn the command line, a pool is one text: `--pool 'plates:models=plates;max=2;preset=fast' --pool rest`.\n\n");
        Table(page, "Workers", WorkerSection.All);
        Table(page, "The log", LogSection.All);
        return page.ToString().TrimEnd() + "\n";
    }

    private static void Table(StringBuilder page, string title, IReadOnlyList<Setting> settings)
    {
        page.Append($"## {title}\n\n| in the file | flag | variable | what it does | takes |\n|---|---|---|---|---|\n");
        foreach (var setting in settings)
        {
            var (key, variable) = setting.FlagOnly ? ("", "") : ($"`{setting.Key}`", $"`{setting.Variable}`");
            page.Append($"| {key} | {(setting.Flag is { } flag ? $"`{flag}`" : "")} | {variable} | {Cell(setting.Description)} | {Cell(setting.Words)}{(setting.IsList ? "; several" : "")} |\n");
        }
        page.Append('\n');
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
