using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>What a model says about the pictures of its trial; each is run when it is first asked for, and kept until disposed.</summary>
/// <param name="run">Runs the model on tensors that are filled, and gives its numeric outputs by their places.</param>
internal sealed class TrialRuns(Func<InputTensors, TrialRun> run) : IDisposable
{
    private readonly List<(InputSpec Input, TrialPicture? Picture, TrialRun Run)> done = [];

    /// <summary>An input of zeros, whatever they mean to the model.</summary>
    public TrialRun Blank(InputSpec input, SizeInput? size, IReadOnlyList<FixedInput> constant) => Get(input, size, constant, null);

    /// <summary>A picture, prepared as the input says.</summary>
    public TrialRun Of(TrialPicture picture, InputSpec input, SizeInput? size, IReadOnlyList<FixedInput> constant) => Get(input, size, constant, picture);

    /// <summary>Noise, with the model told a size that is not the input's; not kept.</summary>
    public TrialRun Told(InputSpec input, SizeInput? size, IReadOnlyList<FixedInput> constant, int width, int height)
    {
        using var feed = new InputTensors(input, size, constant, 1);
        TrialPictures.Write(TrialPicture.Noise, input, feed.Picture(0));
        feed.TellSize(0, width, height);
        return run(feed);
    }

    public void Dispose()
    {
        foreach (var (_, _, kept) in done)
            kept.Dispose();
    }

    private TrialRun Get(InputSpec input, SizeInput? size, IReadOnlyList<FixedInput> constant, TrialPicture? picture)
    {
        // For zeros it makes no difference how pictures are prepared.
        foreach (var kept in done)
        {
            if (kept.Picture == picture && (picture is null || kept.Input == input))
                return kept.Run;
        }
        using var feed = new InputTensors(input, size, constant, 1);
        if (picture is { } drawn)
            TrialPictures.Write(drawn, input, feed.Picture(0));
        feed.TellSize(0, input.Width, input.Height);
        var ran = run(feed);
        done.Add((input, picture, ran));
        return ran;
    }
}

/// <summary>The outputs of one run, by their places in the model.</summary>
/// <param name="outputs">The library's.</param>
/// <param name="places">Which output of the model each is.</param>
internal sealed class TrialRun(OrtOutputs outputs, int[] places) : IDisposable
{
    /// <summary>An output of the model.</summary>
    public OrtOutput this[int output] => outputs[Array.IndexOf(places, output)];

    /// <summary>The outputs that a reading wants, in its order.</summary>
    public OrtOutput[] Take(IEnumerable<int> wanted) => [.. wanted.Select(output => this[output])];

    public void Dispose() => outputs.Dispose();
}
