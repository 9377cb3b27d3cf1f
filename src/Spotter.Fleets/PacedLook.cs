using Spotter.Core;

namespace Spotter.Fleets;

/// <summary>
/// Asks a service what it has. AWS allows a few calls a second to the whole account, and the controller looks four
/// times a second, so what was answered stands for some seconds, and so does a failure.
/// </summary>
/// <param name="ask">The call.</param>
/// <param name="time">The clock.</param>
/// <param name="knownFor">How long an answer stands. Default: 5 s.</param>
internal sealed class PacedLook<T>(Func<CancellationToken, Task<T>> ask, TimeProvider time, TimeSpan? knownFor = null)
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(5);

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
        if (askedAt is not { } at || time.GetElapsedTime(at) >= (knownFor ?? Usual))
            return true;
        return failed is null ? false : throw new SpotterException(failed.Code, failed.Message, failed);
    }

    /// <summary>Makes the next look due: something was changed.</summary>
    public void Forget() => askedAt = null;
}
