using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Gateway.Results;

/// <summary>How answers about jobs are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(DeliveryStateConverter)])]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(JobViews))]
[JsonSerializable(typeof(JobPage))]
[JsonSerializable(typeof(LinkView))]
[JsonSerializable(typeof(RedriveRequest))]
[JsonSerializable(typeof(RedriveView))]
[JsonSerializable(typeof(UploadView))]
[JsonSerializable(typeof(ExportRequest))]
public sealed partial class ResultsJson : JsonSerializerContext;
