using System.Diagnostics;
using System.Globalization;
using Amazon.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Backends.Postgres;
using Spotter.Backends.S3;
using Spotter.Cli.Catalogue;
using Spotter.Cli.Remote;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Tests.Webhooks;
using Spotter.Worker;

namespace Spotter.Tests.Http;

/// <summary>Nothing of the program goes where a server's certificate points.</summary>
public sealed class OutgoingTests
{
    private static readonly RetrySchedule Once = new() { MaxAttempts = 1 };

    [Fact]
    public async Task What_a_client_sent_of_its_trace_goes_to_no_other_server()
    {
        await using var server = await WebhookEndpoint.StartAsync();
        using var request = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).SetBaggage("user", "somebody");
        request.TraceStateString = "vendor=abc";
        request.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        request.Start();
        using var client = new HttpClient(Outgoing.NewHandler());

        using var answer = await client.GetAsync(server.Address);

        var names = (await server.NextAsync()).Headers.Keys.Select(n => n.ToLowerInvariant());
        names.Intersect(["traceparent", "tracestate", "baggage", "correlation-context"], StringComparer.Ordinal).ShouldBeEmpty();
    }

    /// <summary>Everything that opens connections: reaches the server, and ends when it has judged its certificate.</summary>
    private static readonly Dictionary<string, Func<PointingServer, Task>> Clients = new(StringComparer.Ordinal)
    {
        ["webhooks"] = async server =>
        {
            WebhookSecret.TryParse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out var secrets).ShouldBeTrue();
            using var client = new WebhookClient(new EgressGuard(EgressUse.Webhooks, [EgressAllowance.Parse("127.0.0.1")]), new WebhookSettings(), TimeProvider.System);
            (await client.PostAsync(server.Address, "id", [], secrets, default)).ShouldNotBeOfType<DeliveryOutcome.Delivered>();
        },
        ["remote commands"] = async server =>
        {
            using var client = new ServiceClient(server.Address, key: null, connections: 1);
            await Should.ThrowAsync<SpotterException>(() => client.GetAsync("/v1/stats", ServiceJson.Default.ServiceProblem, default));
        },
        ["catalogue"] = async server =>
        {
            using var client = new Transfer(new TransferLimits { Retries = Once }, TimeProvider.System, RandomSource.System, _ => { });
            await Should.ThrowAsync<SpotterException>(() => client.ReadAsync(server.Address, 100, "it", default));
        },
        ["worker"] = async server =>
        {
            using var client = new HttpJobSource(server.Address, "token", "w", () => new WorkerJoin(1, []), TimeProvider.System, NullLogger<HttpJobSource>.Instance);
            using var stop = new CancellationTokenSource();
            var joining = client.JoinAsync(stop.Token);
            await server.JudgedAsync();
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => joining);
        },
        ["S3"] = async server =>
        {
            var settings = S3Settings.Parse("s3://bucket", server.Address.ToString(), "us-east-1") with { Credentials = new BasicAWSCredentials("a", "b") };
            using var client = new S3BlobStore(settings, TimeProvider.System);
            await Should.ThrowAsync<SpotterException>(() => client.OpenAsync("0123456789abcdef0123456789abcdef", default));
        },
        ["PostgreSQL, any certificate"] = server => OpenPostgresAsync(server, "require"),
        ["PostgreSQL, a trusted certificate"] = server => OpenPostgresAsync(server, "verify-full"),
    };

    public static TheoryData<string> Names => [.. Clients.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_client_fetches_what_a_certificate_points_at(string name)
    {
        await using var server = new PointingServer();

        await Clients[name](server).WaitAsync(TimeSpan.FromSeconds(60));

        server.Fetches.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_framework_by_itself_does_fetch_it()
    {
        await using var server = new PointingServer();
        using var client = new HttpClient();

        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(server.Address));

        server.Fetches.ShouldContain(asked => asked == "GET /issuer.cer HTTP/1.1");
    }

    [Fact]
    public async Task What_one_server_sent_is_not_kept_for_the_next()
    {
        await using var server = new PointingServer();
        using var handler = Outgoing.NewHandler();
        using var client = new HttpClient(handler);

        for (var i = 0; i < 3; i++)
            await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(server.Address));

        handler.SslOptions.CertificateChainPolicy!.ExtraStore.Count.ShouldBe(0);
    }

    [Fact]
    public void A_database_address_can_not_ask_for_revocation_to_be_looked_up() =>
        Should.Throw<SpotterException>(() => PostgresAddress.Parse("Host=db;Check Certificate Revocation=true")).Code.ShouldBe(ErrorCodes.InvalidSettings);

    private static async Task OpenPostgresAsync(PointingServer server, string mode)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"postgres://u:p@127.0.0.1:{server.Port}/db?sslmode={mode}&connect_timeout=5");
        var opening = Task.Run(() => Should.Throw<SpotterException>(() => PostgresDatabase.Open(new PostgresSettings { Address = address })));
        await opening;
    }
}
