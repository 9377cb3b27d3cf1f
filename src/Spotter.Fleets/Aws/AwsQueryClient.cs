using System.Net;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Transform;
using Spotter.Core;

namespace Spotter.Fleets.Aws;

/// <summary>
/// Calls a service of Amazon's that speaks the Query protocol: a form goes there, XML comes back. Credentials of every kind, their
/// renewal, signatures, clock skew and retries are the SDK's, as for its own clients; there is no package of it for these services here.
/// </summary>
internal sealed class AwsQueryClient : AmazonServiceClient
{
    private readonly AwsQueryService service;
    private readonly AwsQueryFaults faults;

    private AwsQueryClient(AwsQueryService service, AwsPlace place, AwsQueryFaults faults)
        : base(place.Credentials, new AwsQueryConfig(service, place)) => (this.service, this.faults) = (service, faults);

    private AwsQueryClient(AwsQueryService service, ClientConfig config, AwsQueryFaults faults)
        : base(config) => (this.service, this.faults) = (service, faults);

    /// <summary>Makes a client; reaches nothing yet.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: there is no region.</exception>
    public static AwsQueryClient Open(AwsQueryService service, AwsPlace place)
    {
        var words = new AwsQueryFaults(service, place);
        try
        {
            return place.Credentials is null ? new AwsQueryClient(service, new AwsQueryConfig(service, place), words) : new AwsQueryClient(service, place, words);
        }
        catch (Exception error) when (AwsQueryFaults.IsFault(error))
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, words.ToRefusal(error, action: null).Message);
        }
    }

    /// <summary>Calls an action; the root of its answer.</summary>
    /// <param name="action">The action, as <c>PutMetricData</c>.</param>
    /// <param name="parameters">Its parameters by their names, as <c>MetricData.member.1.MetricName</c>.</param>
    /// <param name="cancel">Ends the call.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: it failed. One sentence says why; an answer of the service is the inner exception, unless it may repeat a secret.</exception>
    public async Task<XElement> CallAsync(string action, IEnumerable<(string Name, string Value)> parameters, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            var options = new InvokeOptions { RequestMarshaller = new Marshaller(service, action, [.. parameters]), ResponseUnmarshaller = new Unmarshaller() };
            // Given no token that can be cancelled, the SDK takes one that ends with its timeout.
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(Config.Timeout!.Value);
            return (await InvokeAsync<Answer>(new Call(), options, patience.Token)).Root;
        }
        catch (Exception error) when (AwsQueryFaults.IsFault(error) && !cancel.IsCancellationRequested)
        {
            throw faults.ToRefusal(error, action);
        }
    }

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.ReplaceHandler<RetryHandler>(new RetryHandler(new Ec2Capacity.Retries(Config)));
        pipeline.AddHandlerAfter<Amazon.Runtime.Internal.Marshaller>(new Endpoints());
        pipeline.AddHandlerAfter<Amazon.Runtime.Internal.Marshaller>(new Schemes());
    }

    private sealed class Call : AmazonWebServiceRequest;

    /// <summary>The root of an answer.</summary>
    private sealed class Answer : AmazonWebServiceResponse
    {
        public XElement Root { get; init; } = null!;
    }

    private sealed class Schemes : BaseAuthResolverHandler
    {
        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
    }

    private sealed class Endpoints : BaseEndpointResolver
    {
        // A service has one endpoint, whatever the request.
        protected override Amazon.Runtime.Endpoints.EndpointParameters MapEndpointsParameters(IRequestContext requestContext) => new();
    }

    private sealed class Marshaller(AwsQueryService service, string action, IReadOnlyList<(string Name, string Value)> parameters)
        : IMarshaller<IRequest, AmazonWebServiceRequest>
    {
        public IRequest Marshall(AmazonWebServiceRequest input)
        {
            var request = new DefaultRequest(input, service.Id) { HttpMethod = "POST", ResourcePath = "/" };
            request.Parameters["Action"] = action;
            request.Parameters["Version"] = service.Version;
            foreach (var (name, value) in parameters)
                request.Parameters[name] = value;
            return request;
        }
    }

    private sealed class Unmarshaller : XmlResponseUnmarshaller
    {
        public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext context) => new Answer { Root = Read(context) };

        public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext context, Exception innerException, HttpStatusCode statusCode)
        {
            string Text(XElement? parent, string name) => parent?.Element(parent.Name.Namespace + name)?.Value ?? "";
            var root = Read(context);
            // EC2 has a list of one.
            var error = root.Descendants(root.Name.Namespace + "Error").FirstOrDefault();
            var type = Text(error, "Type") == "Sender" ? ErrorType.Sender : ErrorType.Receiver;
            return new AmazonServiceException(Text(error, "Message"), innerException, type, Text(error, "Code"), Text(root, "RequestId"), statusCode);
        }

        private static XElement Read(XmlUnmarshallerContext context) => XElement.Load(context.Stream);
    }
}
