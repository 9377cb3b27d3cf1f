using Amazon.Runtime;
using Spotter.Core;

namespace Spotter.Backends.S3;

/// <summary>The SDK's way to the bucket: by the proxy that the environment names, and nowhere besides.</summary>
internal sealed class S3HttpClients(TimeSpan connect) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig)
    {
        var handler = Outgoing.NewHandler();
        handler.UseProxy = true;
        handler.ConnectTimeout = connect;
        return new HttpClient(handler);
    }
}
