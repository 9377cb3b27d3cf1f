using System.Text.Json;
using System.Text.Json.Serialization;

namespace Spotter.Scaling.Hindsight;

/// <summary>What the policy has learned, to be kept over a restart. Times in seconds.</summary>
/// <param name="Service">What a job takes on a worker.</param>
/// <param name="Boot">What a worker takes to join.</param>
/// <param name="Belief">Of the arrival rate.</param>
/// <param name="Levels">Level 1 first.</param>
internal sealed record PolicyMemory(double Service, double Boot, BeliefMemory Belief, IReadOnlyList<LevelMemory> Levels);

/// <summary>What is believed of the arrival rate.</summary>
/// <param name="Shares">The probability of each rate, the lowest first.</param>
/// <param name="Batches">Batches among the latest looks.</param>
/// <param name="Looks">Looks that saw arrivals.</param>
internal sealed record BeliefMemory(IReadOnlyList<double> Shares, double Batches, double Looks);

/// <summary>What one level has learned.</summary>
/// <param name="Gaps">Its gaps, oldest first.</param>
/// <param name="Penalty">The waiting that finding it cold causes, in job-seconds.</param>
/// <param name="Suffered">How often it has been found cold.</param>
/// <param name="FellAgo">How long it has been out of demand; null if it never was in demand.</param>
internal sealed record LevelMemory(IReadOnlyList<Gap> Gaps, double Penalty, int Suffered, double? FellAgo);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PolicyMemory))]
internal sealed partial class MemoryJson : JsonSerializerContext;
