namespace Spotter.Scaling.Simulation;

/// <summary>A policy with the fleet that it comes with, ready for one run.</summary>
/// <param name="Policy">One that has decided nothing yet.</param>
/// <param name="Rules">How the fleet around it behaves.</param>
public sealed record Entry(ScalePolicy Policy, RunRules Rules);

/// <summary>A policy that can be compared with others.</summary>
/// <param name="Name">What it is called in the table.</param>
/// <param name="Enter">
/// Makes an entry for a run: with these settings, and numbers to draw the moments from at which a policy with a rhythm
/// of its own first looks.
/// </param>
public sealed record Contender(string Name, Func<ScaleSettings, Draws, Entry> Enter);
