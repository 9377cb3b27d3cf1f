using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Spotter.Cli.Catalogue;
using Spotter.Cli.Detect;
using Spotter.Cli.Doctor;
using Spotter.Cli.Evaluate;
using Spotter.Cli.Load;
using Spotter.Cli.Models;
using Spotter.Cli.Simulate;
using Spotter.Cli.Watch;
using Spotter.Gateway.Models;
using Spotter.Gateway.Results;

namespace Spotter.Cli.Commands;

/// <summary>Prints what <c>--json</c> promises: one object per line, and nothing else on standard output.</summary>
internal static class JsonLines
{
    // For programs and people's eyes, never for a web page: file names stay readable.
    private static readonly CliJson Json = new(new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly ModelsJson Models = new(new(ModelsJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static void Write(DetectLine line) => Write(line, Json.DetectLine);

    public static void Write(ComparisonReport report) => Write(report, Json.ComparisonReport);

    public static void Write(EvaluationReport report) => Write(report, Json.EvaluationReport);

    public static void Write(Finding finding) => Write(finding, Json.Finding);

    public static void Write(LoadFigures figures) => Write(figures, Json.LoadFigures);
    public static void Write(KeyListing key) => Write(key, Json.KeyListing);

    public static void Write(ModelListing listing) => Write(listing, Json.ModelListing);

    public static void Write(CatalogueEntry entry) => Write(entry, Json.CatalogueEntry);

    public static void Write(PullReport report) => Write(report, Json.PullReport);

    public static void Write(ModelView model) => Write(model, Models.ModelView);

    public static void Write(RedriveView report) => Write(report, ResultsJson.Default.RedriveView);

    public static void Write(CancelReport report) => Write(report, Json.CancelReport);

    public static void Write(ScaledDay day) => Write(day, Json.ScaledDay);

    public static void Write(SimulationReport report) => Write(report, Json.SimulationReport);

    public static void Write(WatchResult result) => Write(result, Json.WatchResult);

    /// <summary>What a service said, on one line.</summary>
    public static string Compact(JsonElement element) => PlainText.Json(JsonSerializer.Serialize(element, Json.JsonElement));

    private static void Write<T>(T value, JsonTypeInfo<T> type) => Console.Out.WriteLine(PlainText.Json(JsonSerializer.Serialize(value, type)));
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CancelReport))]
[JsonSerializable(typeof(CatalogueEntry))]
[JsonSerializable(typeof(DetectLine))]
[JsonSerializable(typeof(ComparisonReport))]
[JsonSerializable(typeof(EvaluationReport))]
[JsonSerializable(typeof(Finding))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(LoadFigures))]
[JsonSerializable(typeof(KeyListing))]
[JsonSerializable(typeof(ModelListing))]
[JsonSerializable(typeof(PullReport))]
[JsonSerializable(typeof(ScaledDay))]
[JsonSerializable(typeof(SimulationReport))]
[JsonSerializable(typeof(WatchResult))]
internal sealed partial class CliJson : JsonSerializerContext;
