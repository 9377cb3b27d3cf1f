using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Gateway.Models;
using Spotter.Gateway.Operations;
using Spotter.Gateway.Results;
using Spotter.Gateway.Scaling;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway;

/// <summary>How the gateway's answers are written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    Converters = [typeof(LowerCaseEnumConverter<JobState>), typeof(LowerCaseEnumConverter<JobPriority>), typeof(LowerCaseEnumConverter<JobEventKind>), typeof(LowerCaseEnumConverter<WorkerState>), typeof(LowerCaseEnumConverter<ScalePreset>), typeof(LowerCaseEnumConverter<ModelState>), typeof(DeliveryStateConverter)])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(JobViews))]
[JsonSerializable(typeof(JobPage))]
[JsonSerializable(typeof(RedriveRequest))]
[JsonSerializable(typeof(RedriveView))]
[JsonSerializable(typeof(StatsView))]
[JsonSerializable(typeof(ModelsView))]
[JsonSerializable(typeof(DecisionsView))]
[JsonSerializable(typeof(SeriesView))]
[JsonSerializable(typeof(DaysView))]
[JsonSerializable(typeof(WhatIfView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(WebhookPayload))]
public sealed partial class GatewayJson : JsonSerializerContext;
