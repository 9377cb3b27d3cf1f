using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>How the SDK reaches a service of the Query protocol.</summary>
internal sealed class AwsQueryConfig : ClientConfig
{
    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);

    private readonly AwsQueryService service;

    public AwsQueryConfig(AwsQueryService service, AwsPlace place)
        : base(new DefaultConfigurationProvider([new Defaults()]))
    {
        this.service = service;
        ServiceId = service.Id;
        AuthenticationServiceName = service.Host;
        EndpointProvider = new Endpoints(this);
        HttpClientFactory = new HttpClients();
        RetryMode = RequestRetryMode.Standard;
        MaxErrorRetry = 3;
        Timeout = place.Patience;
        if (place.Region is { } region)
            RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        if (place.Endpoint is { } endpoint)
        {
            ServiceURL = endpoint.ToString();
            AuthenticationRegion = place.Region ?? "us-east-1";
        }
    }

    public override string RegionEndpointServiceName => service.Host;

    public override string ServiceVersion => service.Version;

    public override string UserAgent => "spotter";

    /// <summary>Where a request goes: the server that is named, or the service's in the region.</summary>
    /// <exception cref="AmazonClientException">There is no region.</exception>
    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        ServiceURL is { Length: > 0 } named ? new Endpoint(named)
            : RegionEndpoint is { } region ? new Endpoint($"https://{service.Host}{(UseFIPSEndpoint ? "-fips" : "")}.{region.SystemName}.{region.PartitionDnsSuffix}/")
            : throw new AmazonClientException("No region is set.");

    private sealed class Endpoints(AwsQueryConfig config) : IEndpointProvider
    {
        public Endpoint ResolveEndpoint(EndpointParameters parameters) => config.DetermineServiceOperationEndpoint(new(null));
    }

    /// <summary>By the proxy that the environment names, and nowhere besides.</summary>
    private sealed class HttpClients : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var handler = Outgoing.NewHandler();
            handler.UseProxy = true;
            handler.ConnectTimeout = Connect;
            return new HttpClient(handler);
        }
    }

    private sealed class Defaults : IDefaultConfiguration
    {
        public DefaultConfigurationMode Name => DefaultConfigurationMode.Standard;

        public RequestRetryMode RetryMode => RequestRetryMode.Standard;

        public S3UsEast1RegionalEndpointValue S3UsEast1RegionalEndpoint => S3UsEast1RegionalEndpointValue.Regional;

        public TimeSpan? ConnectTimeout => Connect;

        public TimeSpan? TlsNegotiationTimeout => Connect;

        public TimeSpan? TimeToFirstByteTimeout => null;

        public TimeSpan? HttpRequestTimeout => null;
    }
}
