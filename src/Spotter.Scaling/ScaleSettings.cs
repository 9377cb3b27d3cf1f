using Spotter.Core;

namespace Spotter.Scaling;

/// <summary>What a second of a job's waiting is worth, in seconds of a worker.</summary>
public enum ScalePreset
{
    /// <summary>A quarter: rather wait than pay.</summary>
    Eco,

    /// <summary>As much.</summary>
    Balanced,

    /// <summary>Four times as much: rather pay than wait.</summary>
    Fast,
}

/// <summary>The limits and constants of a policy.</summary>
public sealed record ScaleSettings
{
    private const int MostWorkers = 10_000;

    /// <summary>The policy's name, one of those that <c>ScalePolicies</c> lists. Default: spotter.</summary>
    public string Policy { get; init; } = "spotter";

    /// <summary>How waiting is weighed against workers. Default: balanced.</summary>
    public ScalePreset Preset { get; init; } = ScalePreset.Balanced;

    /// <summary>Never fewer workers. Default: 0.</summary>
    public int Min { get; init; }

    /// <summary>Never more workers. Default: 1.</summary>
    public int Max { get; init; } = 1;

    /// <summary>Jobs that one worker runs at a time. Default: 1.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>What a worker is thought to take from launch to joining until one has been seen to. Default: 60 s.</summary>
    public TimeSpan BootPrior { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What a job is thought to take on a worker until one has been seen to. Default: 6 s.</summary>
    public TimeSpan ServicePrior { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>A worker is paid for at least this long after its launch. Default: 0.</summary>
    public TimeSpan MinBill { get; init; }

    /// <summary>Time between two looks. Default: 1 s.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A backlog is to be gone this long after the workers for it have joined; null: as long as it is cheapest. Default: null.</summary>
    public TimeSpan? TargetDrain { get; init; }

    /// <summary>An answer that takes longer than this came too late. Default: 60 s.</summary>
    public TimeSpan Slo { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A worker is kept this long without work, by the policies that do not learn how long. Default: 30 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// No worker is let go that has been idle for less than this, whatever the policy has learned: where workers cost next
    /// to nothing, waiting for one is dearer. Default: 0.
    /// </summary>
    public TimeSpan KeepIdle { get; init; }

    /// <summary>
    /// No worker that boots is given up before this, whatever boots took before: on a busy machine some take ten times as
    /// long. Default: 0, so that three times the usual boot is too long.
    /// </summary>
    public TimeSpan BootPatience { get; init; }

    /// <summary>Worker-hours that may be spent in any 24 hours; null: as many as it takes. Default: null.</summary>
    public double? DailyWorkerHours { get; init; }

    /// <summary>What an hour of a worker costs, in whatever currency. Default: 0.</summary>
    public double PricePerHour { get; init; }

    /// <summary>What a second of a job's waiting is worth, in seconds of a worker: the preset as a number.</summary>
    public double WaitPrice => Preset switch
    {
        ScalePreset.Eco => 0.25,
        ScalePreset.Fast => 4,
        _ => 1,
    };

    /// <summary>Refuses settings that make no sense, one by one and together.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Check()
    {
        Require(Min >= 0 && Max >= Min, $"The limits of the fleet are {Min} to {Max} workers; the lower can't be negative nor above the upper.");
        Require(Max <= MostWorkers, $"{Max} workers are more than a fleet can have; choose at most {MostWorkers}.");
        Require(Lanes >= 1, $"A worker can't run {Lanes} jobs at a time; choose 1 or more lanes.");
        Require(ServicePrior > TimeSpan.Zero, "A job can't take no time at all; give a service time above 0.");
        Require(Tick > TimeSpan.Zero, "There must be time between two looks; give a tick above 0.");
        Require(
            BootPrior >= TimeSpan.Zero && MinBill >= TimeSpan.Zero && Linger >= TimeSpan.Zero && Slo >= TimeSpan.Zero && (TargetDrain ?? TimeSpan.Zero) >= TimeSpan.Zero,
            "Boot time, minimum bill, linger, SLO and drain time can't be negative; choose 0 or more.");
        Require(DailyWorkerHours is null or > 0, "The cap on worker-hours must be above 0; leave it out to have none.");
        Require(double.IsFinite(PricePerHour) && PricePerHour >= 0, "The price per hour can't be negative; leave it out if there is none.");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new SpotterException(ErrorCodes.InvalidSettings, otherwise);
    }
}
