using System.Collections.Concurrent;
using System.Text;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Fleets.Aws;

namespace Spotter.Tests.Aws;

/// <summary>What goes over the wire, seen by a server that answers as it is told.</summary>
public sealed class AwsQueryClientTests : IAsyncLifetime
{
    private const string Secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";

    private readonly ConcurrentQueue<(string Form, IHeaderDictionary Headers)> requests = new();
    private readonly Queue<(int Status, string Body)> answers = new();
    private WebApplication server = null!;
    private Uri address = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        server = builder.Build();
        server.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
            requests.Enqueue((await reader.ReadToEndAsync(), new HeaderDictionary(http.Request.Headers.ToDictionary(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase))));
            var (status, body) = answers.Dequeue();
            http.Response.StatusCode = status;
            http.Response.ContentType = "text/xml";
            await http.Response.WriteAsync(body);
        });
        await server.StartAsync();
        address = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_form_goes_there_signed_for_region_and_service_with_the_session_s_token()
    {
        answers.Enqueue((200, "<R xmlns='urn:x'><A>b</A></R>"));
        using var client = AwsQueryClient.Open(AwsQueryService.CloudWatch, Place(new SessionAWSCredentials("AKIDEXAMPLE", Secret, "the session's token")));

        var root = await client.CallAsync("PutMetricData", [("Namespace", "a b&c=ä")], default);

        root.Element(root.Name.Namespace + "A")!.Value.ShouldBe("b");
        var (form, headers) = requests.ShouldHaveSingleItem();
        form.Split('&').ShouldBe(["Action=PutMetricData", "Namespace=a%20b%26c%3D%C3%A4", "Version=2010-08-01"], ignoreOrder: true);
        headers.Authorization.ToString().ShouldMatch(@"^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-3/monitoring/aws4_request, ");
        headers["X-Amz-Security-Token"].ToString().ShouldBe("the session's token");
    }

    [Fact]
    public async Task Credentials_that_change_are_asked_for_again()
    {
        var credentials = new Renewed();
        using var client = AwsQueryClient.Open(AwsQueryService.CloudWatch, Place(credentials));

        foreach (var token in (string[])["first", "second"])
        {
            credentials.Token = token;
            answers.Enqueue((200, "<R/>"));
            await client.CallAsync("ListMetrics", [], default);
        }

        requests.Select(r => r.Headers["X-Amz-Security-Token"].ToString()).ShouldBe(["first", "second"]);
    }

    [Fact]
    public async Task What_passes_is_tried_again()
    {
        answers.Enqueue((503, "busy, and no XML"));
        answers.Enqueue((400, Error("Throttling", "Rate exceeded")));
        answers.Enqueue((200, "<R/>"));
        using var client = AwsQueryClient.Open(AwsQueryService.AutoScaling, Place());

        await client.CallAsync("DescribeAutoScalingGroups", [], default);

        requests.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(400, "ValidationError", "Group name is too long.", "Auto Scaling refused a request (ValidationError: Group name is too long).")]
    [InlineData(400, "AlreadyExists", Secret, "Auto Scaling refused a request (AlreadyExists).")]
    [InlineData(403, "AccessDenied", Secret, "The role or user may not call SetDesiredCapacity of Auto Scaling as is needed (AccessDenied); see the permissions in docs/aws.md.")]
    [InlineData(403, "ExpiredToken", Secret, "The credentials for AWS have expired; renew them, or give the machine a role.")]
    [InlineData(403, "InvalidClientTokenId", Secret, "Amazon doesn't know the credentials; correct them, or give the machine a role.")]
    [InlineData(403, "SignatureDoesNotMatch", Secret, "Amazon refused the signature of a request; check this machine's clock and the credentials.")]
    public async Task A_refusal_is_said_in_one_sentence_without_a_secret(int status, string code, string message, string sentence)
    {
        for (var i = 0; i < 4; i++)
            answers.Enqueue((status, Error(code, message)));
        using var client = AwsQueryClient.Open(AwsQueryService.AutoScaling, Place());

        var refused = await Should.ThrowAsync<SpotterException>(() => client.CallAsync("SetDesiredCapacity", [], default));

        refused.Message.ShouldBe(sentence);
        (status == 400 && code == "AlreadyExists" ? refused.Message : refused.ToString()).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task An_answer_that_is_no_XML_and_a_server_that_is_not_there_are_told()
    {
        answers.Enqueue((200, "hello"));
        using var client = AwsQueryClient.Open(AwsQueryService.AutoScaling, Place());
        (await Should.ThrowAsync<SpotterException>(() => client.CallAsync("A", [], default))).Message
            .ShouldBe("Auto Scaling answered with something that is no XML; check the endpoint.");

        await server.StopAsync();
        (await Should.ThrowAsync<SpotterException>(() => client.CallAsync("A", [], default))).Message
            .ShouldBe("Auto Scaling can't be reached (ConnectionRefused); check the region and the network.");
    }

    [Theory]
    [InlineData("Terminating:Wait", true)]
    [InlineData("Terminating", false)]
    public async Task An_instance_that_ends_already_is_only_released_from_its_hook(string state, bool isReleased)
    {
        answers.Enqueue((200, $"<R xmlns='urn:x'><AutoScalingGroups><member><MinSize>0</MinSize><MaxSize>5</MaxSize><DesiredCapacity>1</DesiredCapacity><Instances><member><InstanceId>i-1</InstanceId><LifecycleState>{state}</LifecycleState></member></Instances></member></AutoScalingGroups></R>"));
        answers.Enqueue((200, "<R/>"));
        using var client = AwsQueryClient.Open(AwsQueryService.AutoScaling, Place());
        var launcher = new AutoScalingLauncher(new ScalingGroup(client, "g"), "bye", new ManualClock(), NullLogger<AutoScalingLauncher>.Instance);

        await launcher.StopAsync("i-1", default);

        string[] released = ["Action=CompleteLifecycleAction", "AutoScalingGroupName=g", "InstanceId=i-1", "LifecycleActionResult=CONTINUE", "LifecycleHookName=bye", "Version=2011-01-01"];
        requests.Skip(1).SelectMany(r => r.Form.Split('&')).ShouldBe(isReleased ? released : [], ignoreOrder: true);
    }

    [Fact]
    public async Task An_instance_in_a_warm_pool_is_no_worker()
    {
        static string Instance(string id, string state) => $"<member><InstanceId>{id}</InstanceId><LifecycleState>{state}</LifecycleState><ProtectedFromScaleIn>true</ProtectedFromScaleIn></member>";
        string Group(int desired, string own) =>
            $"<R xmlns='urn:x'><AutoScalingGroups><member><MinSize>0</MinSize><MaxSize>5</MaxSize><DesiredCapacity>{desired}</DesiredCapacity><NewInstancesProtectedFromScaleIn>true</NewInstancesProtectedFromScaleIn>"
            + $"<Instances>{own}{Instance("i-1", "Warmed:Stopped")}{Instance("i-2", "Warmed:Pending:Wait")}</Instances></member></AutoScalingGroups></R>";
        foreach (var answer in new[] { Group(0, ""), Group(0, ""), "<R/>", Group(1, Instance("i-3", "Pending")) })
            answers.Enqueue((200, answer));
        using var client = AwsQueryClient.Open(AwsQueryService.AutoScaling, Place());
        var launcher = new AutoScalingLauncher(new ScalingGroup(client, "g"), "bye", new ManualClock(), NullLogger<AutoScalingLauncher>.Instance);

        (await launcher.ListAsync(default)).ShouldBeEmpty();
        (await launcher.StartAsync(1, default)).ShouldBe(1);

        (await launcher.ListAsync(default)).Select(w => w.Name).ShouldBe(["i-3"]);
        requests.Count(r => r.Form.Contains("Action=SetDesiredCapacity", StringComparison.Ordinal) && r.Form.Contains("DesiredCapacity=1", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [InlineData("eu-central-1", "https://monitoring.eu-central-1.amazonaws.com/")]
    [InlineData("cn-north-1", "https://monitoring.cn-north-1.amazonaws.com.cn/")]
    public void Without_an_endpoint_it_goes_to_the_region_s(string region, string url) =>
        new AwsQueryConfig(AwsQueryService.CloudWatch, new AwsPlace { Region = region }).DetermineServiceOperationEndpoint(null!).URL.ShouldBe(url);

    private static string Error(string code, string message) =>
        $"<ErrorResponse xmlns='urn:x'><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>";

    private AwsPlace Place(AWSCredentials? credentials = null) =>
        new() { Endpoint = address, Region = "eu-west-3", Credentials = credentials ?? new BasicAWSCredentials("AKIDEXAMPLE", Secret) };

    /// <summary>As a role gives them: other ones after a while.</summary>
    private sealed class Renewed : AWSCredentials
    {
        public string Token { get; set; } = "";

        public override ImmutableCredentials GetCredentials() => new("AKIDEXAMPLE", Secret, Token);
    }
}
