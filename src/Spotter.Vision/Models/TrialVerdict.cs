using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>What a trial found.</summary>
/// <param name="Wrong">Why the reading can't be right; null when it can.</param>
/// <param name="Doubt">Why it may not be; null when nothing speaks against it.</param>
/// <param name="Seen">What was looked at and found, for people.</param>
internal sealed record TrialVerdict(string? Wrong, string? Doubt, string Seen);

/// <summary>Tries a reading of a model's outputs.</summary>
/// <param name="model">The reading.</param>
/// <param name="areNamed">Its classes are named, and not assumed to be usual ones.</param>
/// <param name="run">What the model says about a picture: the outputs that the reading wants.</param>
internal delegate TrialVerdict TrialJudge(ModelMetadata model, bool areNamed, Func<TrialPicture, OrtOutput[]> run);
