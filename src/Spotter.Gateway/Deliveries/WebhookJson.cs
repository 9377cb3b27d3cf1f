using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Gateway.Results;
using Spotter.Jobs;

namespace Spotter.Gateway.Deliveries;

/// <summary>How webhook deliveries are written: jobs as in the answers about them.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    Converters = [typeof(LowerCaseEnumConverter<JobState>), typeof(LowerCaseEnumConverter<JobPriority>), typeof(LowerCaseEnumConverter<JobEventKind>), typeof(DeliveryStateConverter)])]
[JsonSerializable(typeof(WebhookPayload))]
internal sealed partial class WebhookJson : JsonSerializerContext;
