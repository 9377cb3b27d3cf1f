using Spotter.Scaling;

namespace Spotter.Gateway.Scaling;

/// <summary>A page of scaling decisions.</summary>
/// <param name="Decisions">Newest first.</param>
/// <param name="Next">The cursor of the next page; null when this is the last.</param>
public sealed record DecisionsView(IReadOnlyList<LoggedDecision> Decisions, string? Next);

/// <summary>How backlog and fleet stood of late.</summary>
/// <param name="Now">The end of it.</param>
/// <param name="StepSeconds">What one sample stands for, in seconds.</param>
/// <param name="Samples">Oldest first; none for a time in which the autoscaler did not look.</param>
public sealed record SeriesView(DateTimeOffset Now, int StepSeconds, IReadOnlyList<ScaleSample> Samples);

/// <summary>The days whose arrivals are recorded.</summary>
/// <param name="Days">Newest first, as 2026-01-31; days of UTC.</param>
public sealed record DaysView(IReadOnlyList<string> Days);

/// <summary>A recorded day, played again twice.</summary>
/// <param name="Terms">What both take for given.</param>
/// <param name="AsSet">With the settings of the service.</param>
/// <param name="WhatIf">With those asked for.</param>
public sealed record WhatIfView(ReplayTerms Terms, ReplayedDay AsSet, ReplayedDay WhatIf);
