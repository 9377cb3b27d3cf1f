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

            You can give a setting in three places. A flag wins over an environment variable, and a variable wins over the file:

            1. a flag of `spotter serve`, `spotter gateway`, `spotter worker` or `spotter bridge`;
            2. an environment variable;
            3. the file `{SettingSources.FileName}` in the current folder, or the one that `--config FILE` or `{SettingSources.File.Variable}` names.

            Spotter checks the settings before it starts anything, and reports each mistake with the place where you made it. A
            setting that does not exist is a mistake in the file, and a warning in the environment. Secrets have no flags, because
            others can see what you type: put them into a variable, or into a file of their own that only Spotter's user may read.

            <!-- file: spotter.yaml -->
            ```yaml
            # {SettingSources.FileName}
            port: 8081
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
            <!-- run: cp model.onnx data/models/yolox_nano.onnx && cp model.onnx data/models/plates.onnx -->
            <!-- run: ./spotter serve -->

            Separate the values of a list by commas in a variable: `SPOTTER__MODELS=yolox_nano,plates`. Repeat a flag:
            `--model yolox_nano --model plates`. Lists and pools don't mix: if you give `--pool`, Spotter ignores all pools in the file.
            YAML anchors are not supported, so put a text that begins with `*` or `&` in quotes.


            """.ReplaceLineEndings("\n"));
        Table(page, "The gateway", GatewaySection.All);
        Table(page, "Where jobs and pictures are kept", BackendFactory.Settings);
        Table(page, "How long things are kept and held", LeaseSection.All);
        Table(page, "Webhooks", WebhookSection.All);
        Table(page, "Pictures by URL", FetchSection.All);
        Table(page, "Camera software", CameraSection.All);
        Table(page, "Messages of an earlier service", LegacySection.All);
        Table(page, "How many workers there are", ScalingSection.All);
        page.Append("## Pools\n\nBelow `pools` each pool has a name and these settings. A pool takes what you leave out from the settings above.\n\n| in the file | what it does | takes |\n|---|---|---|\n");
        foreach (var setting in PoolSection.All)
            page.Append($"| `{setting.Key}` | {Cell(setting.Description)} | {Cell(setting.Words)} |\n");
        page.Append("\nOn the command line, a pool is one text: `--pool 'plates:models=plates;max=2;preset=fast' --pool rest`.\n\n");
        Table(page, "Metrics for a scaler outside Spotter", PublishSection.All);
        Table(page, "KEDA", KedaSection.All);
        Table(page, "Workers", WorkerSection.All);
        Table(page, "A bridge to an earlier service's workers", BridgeSection.All);
        Table(page, "Traces and metrics", TelemetrySection.All);
        Table(page, "The log", LogSection.All);
        Table(page, "Commands that talk to a running service", RemoteSection.All);
        Table(page, "Watching a camera or a folder", WatchSection.All);
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
