using Spotter.Core;

namespace Spotter.Scaling.Simulation;

/// <summary>A kind of worker machine, what the work costs on it, and how it goes wrong.</summary>
public sealed record MachineKind
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>From the launch to the first look at the queue, in seconds.</summary>
    public double BootSeconds { get; init; } = 60;

    /// <summary>What a job takes on average, in seconds, where the trace does not say it.</summary>
    public double ServiceSeconds { get; init; } = 6;

    /// <summary>Standard deviation of the service time over its mean.</summary>
    public double ServiceVariation { get; init; } = 0.5;

    /// <summary>A worker is paid for at least this long, in seconds.</summary>
    public double MinBillSeconds { get; init; }

    /// <summary>No more workers than this can be had.</summary>
    public int MaxWorkers { get; init; } = 20;

    /// <summary>Jobs that one worker runs at a time.</summary>
    public int Lanes { get; init; } = 1;

    /// <summary>A job that lost its worker is delivered again this long after it was taken, in seconds.</summary>
    public double VisibilitySeconds { get; init; } = 60;

    /// <summary>Boots take up to this share longer, evenly spread.</summary>
    public double BootSpread { get; init; }

    /// <summary>The chance that a worker never joins.</summary>
    public double BootFailure { get; init; }

    /// <summary>The chance, per job, that the worker dies half-way.</summary>
    public double Crash { get; init; }

    /// <summary>The chance that a job kills every worker that takes it.</summary>
    public double Poison { get; init; }

    /// <summary>A job that kills its workers is given up after so many deliveries.</summary>
    public int MaxReceives { get; init; } = 3;

    /// <summary>A machine of a cloud, paid for by the second and for a minute at least.</summary>
    public static MachineKind Ec2 { get; } = new() { Name = "ec2", MinBillSeconds = 60 };

    /// <summary>A pod on a node that is there and has the image.</summary>
    public static MachineKind Kubernetes { get; } = new() { Name = "k8s", BootSeconds = 15 };

    /// <summary>A process on this machine.</summary>
    public static MachineKind Local { get; } = new() { Name = "local", BootSeconds = 1.5, ServiceSeconds = 0.8, MaxWorkers = 8 };

    /// <summary>A small machine that boots slowly, with a long job on it.</summary>
    public static MachineKind Small { get; } = new()
    {
        Name = "seed", BootSeconds = 120, ServiceSeconds = 30, ServiceVariation = 0.2, MinBillSeconds = 60,
    };

    /// <summary>The kinds that have a name.</summary>
    public static IReadOnlyList<MachineKind> All { get; } = [Ec2, Kubernetes, Local, Small];

    /// <summary>The same machine on bad days: boots that drag on or never end, crashes, jobs that kill.</summary>
    public MachineKind WithFaults() => this with { BootSpread = 0.5, BootFailure = 0.05, Crash = 0.005, Poison = 0.002 };

    /// <summary>The kind of that name.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: there is none.</exception>
    public static MachineKind Named(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new SpotterException(
            ErrorCodes.InvalidSettings, $"There is no kind of machine named {name}; choose one of {string.Join(", ", All.Select(kind => kind.Name))}.");
}
