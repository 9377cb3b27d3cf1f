namespace Spotter.Vision;

/// <summary>A line of text that was read.</summary>
/// <param name="Text">The text; empty when there is none.</param>
/// <param name="Confidence">The mean of how sure each of its characters is, 0 to 1.</param>
public sealed record Reading(string Text, double Confidence);
