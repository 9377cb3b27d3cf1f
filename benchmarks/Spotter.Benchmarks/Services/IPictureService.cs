namespace Spotter.Benchmarks.Services;

/// <summary>A service that finds things on pictures, ours or another; ended with this object.</summary>
internal interface IPictureService : IAsyncDisposable
{
    /// <summary>How the table calls it.</summary>
    string Name { get; }

    /// <summary>Reaches it.</summary>
    HttpClient Client { get; }

    /// <summary>Where a JPEG is posted to; the answer is JSON with an <c>id</c>. <c>Prefer: wait</c> waits for the result.</summary>
    Uri AddressFor(bool annotate);

    /// <summary>Jobs that have ended with a result so far.</summary>
    Task<long> SucceededAsync();

    /// <summary>Processor time that those who take pictures in and those who run them have used so far.</summary>
    (TimeSpan Gateway, TimeSpan Workers) ProcessorTime();

    /// <summary>Makes sure that workers ran these jobs, each once and none from memory, and that their pictures were written.</summary>
    /// <exception cref="BenchmarkFailedException">They did not, or were not.</exception>
    Task CheckAsync(IReadOnlyList<string> jobs, byte[] picture, bool annotate);
}
