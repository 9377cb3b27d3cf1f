using Spotter.Core;

namespace Spotter.Gateway.Notices;

/// <summary>How notices are sent.</summary>
public sealed record NoticeSettings
{
    /// <summary>
    /// The service's own secret, from which that of every receiver is made that a request gives none for; behind it those
    /// that it replaces. Empty: every callback has to bring one.
    /// </summary>
    public IReadOnlyList<WebhookSecret> Secrets { get; init; } = [];

    /// <summary>Receivers that are allowed besides public ones over https.</summary>
    public IReadOnlyList<CallbackAllowance> Allowed { get; init; } = [];

    /// <summary>A delivery has to be answered within this time, connecting included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A notice that a gateway has taken and not recorded after this time is taken again: that gateway is gone.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to look for notices that are due, besides when jobs end.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Deliveries to one receiver at a time.</summary>
    public int PerReceiver { get; init; } = 4;

    /// <summary>Deliveries at a time.</summary>
    public int AtOnce { get; init; } = 256;

    /// <summary>Most bytes of an answer that are read.</summary>
    public int MaxAnswerBytes { get; init; } = 64 * 1024;

    /// <summary>The waits between deliveries, give or take a fifth; after the last one a notice is given up.</summary>
    public IReadOnlyList<TimeSpan> Delays { get; init; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>No receiver can ask for a longer wait (<c>Retry-After</c>).</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Failures in a row after which a receiver is left alone for a while.</summary>
    public int FailuresBeforeRest { get; init; } = 5;

    /// <summary>How long it is left alone at first; twice as long each time that it still fails.</summary>
    public TimeSpan FirstRest { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>It is not left alone for longer.</summary>
    public TimeSpan LongestRest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Not the values: secrets are among them.</summary>
    public override string ToString() => nameof(NoticeSettings);

    /// <summary>Checks them together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate()
    {
        if (Timeout <= TimeSpan.Zero || Hold < Timeout * 1.5)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings,
                $"A notice that is held for {Hold.TotalSeconds} s leaves no room for a delivery of {Timeout.TotalSeconds} s; make it at least half as long again.");
        }
        if (PerReceiver < 1 || AtOnce < PerReceiver || Poll <= TimeSpan.Zero || FailuresBeforeRest < 1)
            throw new SpotterException(ErrorCodes.InvalidSettings, "Notices need at least one delivery at a time for each receiver, and a time between two looks.");
    }
}
