using System.Text.Json.Serialization;

namespace Spotter.Core.Scaling.Hindsight;

/// <summary>What the policy has learned, to be kept over a restart. Times in seconds.</summary>
/// <param name="Service">What a job takes on a worker.</param>
/// <param name="Boot">What a worker takes to join.</param>
/// <param name="Levels">Level 1 first.</param>
internal sealed record PolicyMemory(double Service, double Boot, IReadOnlyList<LevelMemory> Levels);

/// <summary>What one level has learned.</summary>
/// <param name="Gaps">Its long gaps, oldest first.</param>
/// <param name="ShortGaps">How many short ones.</param>
/// <param name="Penalty">The waiting that finding it cold causes, in job-seconds.</param>
/// <param name="FellAgo">How long it has been out of demand; null if it never was in demand.</param>
internal sealed record LevelMemory(IReadOnlyList<double> Gaps, double ShortGaps, double Penalty, double? FellAgo);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PolicyMemory))]
internal sealed partial class MemoryJson : JsonSerializerContext;
