using Amazon.Runtime;
using Spotter.Core;

namespace Spotter.Backends;

/// <summary>The SDK's way to Amazon's services: by the proxy that the environment names, and nowhere besides.</summary>
internal sealed class AwsHttpClients(TimeSpan connect) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig)
    {
        var handler = Outgoing.NewHandler();
        handler.UseProxy = true;
        handler.ConnectTimeout = connect;
        return new HttpClient(handler);
    }
}
