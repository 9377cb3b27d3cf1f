using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Core.Images;

namespace Spotter.Cli.Watch;

/// <summary>A camera that answers an address with what it sees now.</summary>
internal sealed class SnapshotCamera : IFrameSource
{
    /// <summary>Most bytes of a picture, as services take by default.</summary>
    private const int MostBytes = 20 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient http;
    private readonly SourceAddress address;
    private readonly TimeSpan every;
    private readonly string name;
    private readonly Connection connection;
    private readonly TimeProvider time;

    /// <param name="address">Where it is.</param>
    /// <param name="every">The time between two pictures.</param>
    /// <param name="name">What its pictures are called.</param>
    /// <param name="connection">How it stands.</param>
    /// <param name="time">The clock.</param>
    public SnapshotCamera(SourceAddress address, TimeSpan every, string name, Connection connection, TimeProvider time)
    {
        (this.address, this.every, this.name, this.connection, this.time) = (address, every, name, connection, time);
        var handler = Outgoing.NewHandler();
        handler.ConnectTimeout = Patience;
        if (address.Credentials is { } credentials)
        {
            // Only what cameras have; a machine's own account is nothing that a camera may ask for.
            var url = new Uri(address.Location);
            handler.Credentials = new CredentialCache { { url, "Digest", credentials }, { url, "Basic", credentials } };
            handler.PreAuthenticate = true;
        }
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public bool IsLive => true;

    public async IAsyncEnumerable<Frame> FramesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(every, time);
        while (true)
        {
            if (await TryFetchAsync(cancel) is not { } frame)
                continue;
            yield return frame;
            await timer.WaitForNextTickAsync(cancel);
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>The next picture; null after a failure, and the wait that it asks for.</summary>
    private async Task<Frame?> TryFetchAsync(CancellationToken cancel)
    {
        string why;
        var isRefusal = false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            using var response = await http.GetAsync(new Uri(address.Location), HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (Refusal(response) is { } refusal)
                (why, isRefusal) = (refusal, (int)response.StatusCode < 500);
            else if (await ReadAsync(response, limit.Token) is not { } bytes)
                why = $"its picture has more than {MostBytes >> 20} MiB";
            else if (ImageHeader.Read(bytes, complete: true).Refusal(new ImageLimits()) is { } unreadable)
                (why, isRefusal) = (unreadable.Message.TrimEnd('.'), true);
            else
            {
                connection.Works();
                var now = time.GetUtcNow();
                return new Frame(string.Create(CultureInfo.InvariantCulture, $"{name}-{now:yyyyMMdd-HHmmss}.jpg"), bytes, now);
            }
        }
        catch (Exception away) when (away is HttpRequestException or IOException || (away is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            why = address.Hide(ServiceClient.Why(away));
        }
        if (isRefusal && !connection.HasWorked)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"{connection.Name} gives no picture ({why}); correct its address, user or password.");
        await connection.FailedAsync(why, cancel);
        return null;
    }

    private static string? Refusal(HttpResponseMessage response) => response switch
    {
        { StatusCode: HttpStatusCode.Unauthorized } => "it asks for a user and password, or refuses these",
        { StatusCode: not HttpStatusCode.OK } => string.Create(CultureInfo.InvariantCulture, $"it answers {(int)response.StatusCode}"),
        { Content.Headers.ContentType.MediaType: { } type } when type.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) || type.StartsWith("video/", StringComparison.OrdinalIgnoreCase) =>
            $"it answers with a stream, {type}; add --stream to have ffmpeg read it",
        _ => null,
    };

    private static async Task<byte[]?> ReadAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        await using var content = await response.Content.ReadAsStreamAsync(cancel);
        using var picture = new MemoryStream();
        var piece = new byte[1 << 16];
        for (int read; (read = await content.ReadAsync(piece, cancel)) > 0;)
        {
            if (picture.Length + read > MostBytes)
                return null;
            picture.Write(piece, 0, read);
        }
        return picture.ToArray();
    }
}
