using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Scaling;

namespace Spotter.Gateway.Scaling;

/// <summary>How answers about scaling are written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    Converters = [typeof(LowerCaseEnumConverter<WorkerState>), typeof(LowerCaseEnumConverter<ScalePreset>)])]
[JsonSerializable(typeof(DecisionsView))]
[JsonSerializable(typeof(SeriesView))]
[JsonSerializable(typeof(DaysView))]
[JsonSerializable(typeof(WhatIfView))]
internal sealed partial class ScalingViewsJson : JsonSerializerContext;
