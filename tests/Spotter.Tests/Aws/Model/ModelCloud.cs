using Spotter.Core;

namespace Spotter.Tests.Aws.Model;

/// <summary>How often what goes wrong: parts of calls, of entries, of messages.</summary>
internal sealed record ModelFaults
{
    /// <summary>Nothing goes wrong.</summary>
    public static ModelFaults None { get; } = new();

    /// <summary>Much more than anybody has seen of Amazon.</summary>
    public static ModelFaults Usual { get; } = new()
    {
        Refused = 0.003, AnswerLost = 0.004, Slow = 0.03, VerySlow = 0.0005, Unprocessed = 0.02, Conflict = 0.02,
        Lost = 0.005, Doubled = 0.02, Undeleted = 0.01, NothingFound = 0.3, EntryFailed = 0.01,
    };

    /// <summary>A call is refused, as when it is throttled, and does nothing.</summary>
    public double Refused { get; init; }

    /// <summary>A call does what it should and nobody hears of it; every second one is then sent again by the SDK.</summary>
    public double AnswerLost { get; init; }

    /// <summary>A call takes up to a second, on its way there or back.</summary>
    public double Slow { get; init; }

    /// <summary>A call takes up to the SDK's patience.</summary>
    public double VerySlow { get; init; }

    /// <summary>An entry of a batch for the table is given back.</summary>
    public double Unprocessed { get; init; }

    /// <summary>A transaction meets another one.</summary>
    public double Conflict { get; init; }

    /// <summary>A message gets lost.</summary>
    public double Lost { get; init; }

    /// <summary>A message that is received stays where others receive it as well.</summary>
    public double Doubled { get; init; }

    /// <summary>A message that is deleted comes again.</summary>
    public double Undeleted { get; init; }

    /// <summary>A short poll finds nothing, though there is something.</summary>
    public double NothingFound { get; init; }

    /// <summary>An entry of a batch of messages fails.</summary>
    public double EntryFailed { get; init; }
}

/// <summary>One process that uses the services. When it is killed, its calls are never answered, and what it would have called is not.</summary>
internal sealed class ModelProcess
{
    private readonly TaskCompletionSource death = new();

    public bool IsDead => death.Task.IsCompleted;

    public Task Death => death.Task;

    public void Kill() => death.TrySetResult();
}

/// <summary>What the modelled services share: the time, chance, and what is on its way.</summary>
internal sealed class ModelCloud(TimeProvider clock, RandomSource random, JobOracle oracle)
{
    private const double Patience = 20;

    public ModelFaults Faults { get; set; } = ModelFaults.None;

    public JobOracle Oracle => oracle;

    public TimeProvider Clock => clock;

    public DateTimeOffset Now => clock.GetUtcNow();

    public long Calls { get; private set; }

    public long LostAnswers { get; private set; }

    public bool Chance(double part) => part > 0 && random.NextDouble() < part;

    public int Below(int count) => (int)(random.NextDouble() * count);

    public double Between(double from, double to) => from + (random.NextDouble() * (to - from));

    /// <summary>One call to a service.</summary>
    /// <param name="process">Who calls.</param>
    /// <param name="apply">What the service does.</param>
    /// <param name="refusal">What it throws when it doesn't.</param>
    /// <param name="isOnce">The service knows a call that is sent again.</param>
    public async Task<T> CallAsync<T>(ModelProcess process, Func<T> apply, Func<Exception> refusal, bool isOnce = false)
    {
        Calls++;
        await TravelAsync(process);
        if (Chance(Faults.Refused))
            throw refusal();
        var answer = apply();
        if (Chance(Faults.AnswerLost))
        {
            LostAnswers++;
            await TravelAsync(process);
            if (Chance(0.5))
                throw refusal();
            answer = isOnce ? answer : apply();
        }
        await TravelAsync(process);
        return answer;
    }

    private async Task TravelAsync(ModelProcess process)
    {
        if (Chance(Faults.VerySlow))
            await Task.Delay(TimeSpan.FromSeconds(Between(0, Patience)), clock);
        else if (Chance(Faults.Slow))
            await Task.Delay(TimeSpan.FromSeconds(Between(0, 1)), clock);
        else
            await Task.Yield();
        if (process.IsDead)
            await new TaskCompletionSource().Task;
    }
}
