namespace Spotter.Backends;

/// <summary>One thing that a backend needs, as it was found. Nothing was changed to find it.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Detail">What was found and, unless all is well, what to do.</param>
/// <param name="IsWrong">True when the backend can't work like that.</param>
public sealed record Probed(string Name, string Detail, bool IsWrong = false);
