using Spotter.Jobs;

namespace Spotter.Cli.Bridge;

/// <summary>What a worker of an earlier service says of a picture.</summary>
internal abstract record OldAnswer
{
    private OldAnswer()
    {
    }

    /// <summary>Objects.</summary>
    /// <param name="Labels">Each with its box; empty when none was found.</param>
    public sealed record Found(IReadOnlyList<LegacyLabel> Labels) : OldAnswer;

    /// <summary>One class for all of the picture.</summary>
    /// <param name="Name">Its name.</param>
    public sealed record Classified(string Name) : OldAnswer;

    /// <summary>It could not do it.</summary>
    /// <param name="Why">What it says, which may be anything.</param>
    public sealed record Failed(string Why) : OldAnswer;
}

/// <summary>The workers of an earlier service, which run elsewhere.</summary>
internal interface IOldWorkers
{
    /// <summary>Has one look at a picture that lies in the bucket; waits as long as it takes.</summary>
    /// <param name="picture">The picture's name in its folder.</param>
    /// <param name="cancel">The answer is wanted no more; it may come all the same.</param>
    /// <exception cref="Core.SpotterException">Its queue or table can't be reached, or the answer can't be read.</exception>
    Task<OldAnswer> AskAsync(string picture, CancellationToken cancel);
}
