using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Gateway.Results;

namespace Spotter.Gateway.Deliveries;

/// <summary>How webhook deliveries are written: jobs as in the answers about them.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(DeliveryStateConverter)])]
[JsonSerializable(typeof(WebhookPayload))]
internal sealed partial class WebhookJson : JsonSerializerContext;
