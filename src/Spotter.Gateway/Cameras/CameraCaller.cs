using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Uploads;

namespace Spotter.Gateway.Cameras;

/// <summary>
/// Finds out who calls. DeepStack's clients send their key as a field of the form, before the picture or behind it, so a
/// form of somebody unknown is read into memory first: nothing of a stranger's gets to the disk. That memory has a bound.
/// </summary>
internal sealed class CameraCaller(FormKeys keys, ClientLimits clients, GatewaySettings settings, TimeProvider time) : IDisposable
{
    private const int MostBytes = 4 * 1024 * 1024;
    private const int MostForms = 32;

    private readonly Places forms = new(MostForms);

    /// <summary>Sees to it that the caller is known, and may make this call.</summary>
    /// <param name="http">The call.</param>
    /// <param name="check">Turns away what can't be let in, before a form is read.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.Unauthorized"/>, <see cref="ErrorCodes.Forbidden"/>, <see cref="ErrorCodes.Busy"/>.</exception>
    public async Task DemandAsync(HttpContext http, Action check, CancellationToken cancel)
    {
        if (FormKeys.IsUnknown(http))
        {
            check();
            keys.Identify(http, MultipartParts.Are(http.Request) ? await FindKeyAsync(http, cancel) : null);
            clients.Charge(http, http.GetEndpoint()?.Metadata.GetMetadata<CallCost>()?.Permits ?? 0, paid: 0);
        }
        FormKeys.Demand(http);
    }

    public void Dispose() => forms.Dispose();

    private async Task<string?> FindKeyAsync(HttpContext http, CancellationToken cancel)
    {
        using var place = forms.TryEnter(http) ?? throw new SpotterException(ErrorCodes.Busy,
            "Too many forms with a key in them are read at this moment; send it again, or send the key as the header 'X-API-Key: KEY'.");
        using var late = new CancellationTokenSource(settings.Cameras.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        ReadOnlyMemory<byte> form;
        try
        {
            form = await ReadAsync(http.Request, either.Token);
        }
        catch (OperationCanceledException end) when (!cancel.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The upload took too long.", StatusCodes.Status408RequestTimeout, end);
        }

        http.Request.Body = PipeReader.Create(new ReadOnlySequence<byte>(form)).AsStream();
        string? key = null;
        await MultipartParts.ReadAsync(http.Request, async part =>
        {
            if (part is not { Name: CameraFields.Key, FileName: null })
                return false;
            key ??= await part.ReadTextAsync(cancel);
            return true;
        }, cancel);
        var again = new ReadBody(PipeReader.Create(new ReadOnlySequence<byte>(form)));
        http.Features.Set<IRequestBodyPipeFeature>(again);
        http.Request.Body = again.Reader.AsStream();
        return key;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentLength > MostBytes)
            throw TooLarge();
        var form = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[32 * 1024];
        while (await request.Body.ReadAsync(buffer, cancel) is > 0 and var read)
        {
            if (form.Length + read > MostBytes)
                throw TooLarge();
            form.Write(buffer.AsSpan(0, read));
        }
        return form.GetBuffer().AsMemory(0, (int)form.Length);
    }

    private static SpotterException TooLarge() => new(ErrorCodes.Unauthorized,
        $"A form whose key is a field may have {MostBytes >> 20} MiB; send the key as the header 'X-API-Key: KEY' with larger ones.");

    /// <summary>A body that was read already, for whoever reads it as a pipe.</summary>
    private sealed class ReadBody(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader { get; } = reader;
    }
}
