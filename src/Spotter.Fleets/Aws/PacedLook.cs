using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>
/// Asks a service of AWS what it has. The service allows a few calls a second to the whole account, and the controller looks four
/// times a second, so what was answered stands for some seconds, and so does a failure.
/// </summary>
/// <param name="ask">The call.</param>
/// <param name="time">The clock.</param>
internal sealed class PacedLook<T>(Func<CancellationToken, Task<T>> ask, TimeProvider time)
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(5);

    private long? askedAt;
    private SpotterException? failed;

    /// <summary>Asks in any case.</summary>
    /// <exception cref="SpotterException">The service did not answer.</exception>
    public async Task<T> NowAsync(CancellationToken cancel)
    {
        try
        {
            var answer = await ask(cancel);
            failed = null;
            return answer;
        }
        catch (SpotterException error)
        {
            failed = error;
            throw;
        }
        finally
        {
            askedAt = time.GetTimestamp();
        }
    }

    /// <summary>True when the last answer is too old.</summary>
    /// <exception cref="SpotterException">It is not, and it was a failure.</exception>
    public bool IsDue()
    {
        if (askedAt is not { } at || time.GetElapsedTime(at) >= KnownFor)
            return true;
        return failed is null ? false : throw new SpotterException(failed.Code, failed.Message, failed);
    }

    /// <summary>Makes the next look due: something was changed.</summary>
    public void Forget() => askedAt = null;
}
