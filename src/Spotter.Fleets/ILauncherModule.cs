using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets;

/// <summary>A way to start workers, as processes, pods or machines.</summary>
public interface ILauncherModule
{
    /// <summary>Its name, as in <c>launcher</c> of a pool.</summary>
    string Name { get; }

    /// <summary>The settings that a pool with this launcher has besides those of all pools. Their keys have no dots.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>
    /// True when somebody outside Spotter starts the workers and asks how many there are to be (<see cref="ObservedFleet"/>):
    /// <see cref="Create"/> is not called then.
    /// </summary>
    bool IsObserved => false;

    /// <summary>True when it asks a service for its workers, which <c>doctor</c> does too, with a context that has settings only.</summary>
    bool IsElsewhere => !IsObserved;

    /// <summary>Notes what is wrong with the settings of a pool, besides what each of them says by itself.</summary>
    void Check(SettingReader settings)
    {
    }

    /// <summary>Makes the launcher of a pool. If it is <see cref="IAsyncDisposable"/>, it is disposed of when the service ends.</summary>
    IWorkerLauncher Create(LauncherContext context);
}

/// <summary>What the launcher of a pool is made with.</summary>
/// <param name="Settings">The settings of the pool.</param>
/// <param name="Pool">The pool's name.</param>
/// <param name="Prefix">What the names of its workers begin with, unlike those of any other pool or gateway; may be empty.</param>
/// <param name="StateFile">A file of its own, for what it has to know after a crash.</param>
/// <param name="Scratch">The folder in which the workers of this machine may write.</param>
/// <param name="Command">How to start a worker of this pool on this machine; asked at each start.</param>
/// <param name="Trail">The variable that names the file in which a worker says what its threads do, and the file's length.</param>
/// <param name="Time">The clock.</param>
/// <param name="Random">Makes names unlike those of earlier workers.</param>
/// <param name="Loggers">Makes logs.</param>
public sealed record LauncherContext(
    SettingReader Settings, string Pool, string Prefix, string StateFile, string Scratch, Func<WorkerCommand> Command, (string Variable, int Bytes) Trail,
    TimeProvider Time, RandomSource Random, ILoggerFactory Loggers);

/// <summary>How to start a worker.</summary>
/// <param name="Program">The program.</param>
/// <param name="Arguments">Its arguments; the launcher adds <c>--name NAME</c>.</param>
/// <param name="Environment">All variables that it has: nothing of the gateway's own, which may hold secrets.</param>
public sealed record WorkerCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Lines that it reads from its standard input first: secrets, which neither a process list nor an environment is to show.</summary>
    public IReadOnlyList<string> Input { get; init; } = [];
}
