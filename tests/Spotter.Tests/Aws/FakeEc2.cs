using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Fleets.Aws;

namespace Spotter.Tests.Aws;

/// <summary>A machine of <see cref="FakeEc2"/>.</summary>
internal sealed class FakeMachine
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Pool { get; init; }

    public string? Type { get; init; }

    public string? Subnet { get; init; }

    public string Token { get; init; } = "";

    public required DateTimeOffset LaunchedAt { get; init; }

    public string State { get; set; } = "running";

    /// <summary>True while EC2 does not show it, as it may for some seconds.</summary>
    public bool IsHidden { get; set; }
}

/// <summary>EC2 as far as machines of a pool need it, over its protocol. What it does by itself, or doesn't, is told it.</summary>
internal sealed class FakeEc2 : IAsyncDisposable
{
    private readonly WebApplication server;
    private readonly AwsQueryClient client;
    private readonly ManualClock clock;
    private readonly Lock gate = new();
    private readonly List<FakeMachine> machines = [];

    private FakeEc2(WebApplication server, ManualClock clock)
    {
        (this.server, this.clock) = (server, clock);
        client = AwsQueryClient.Open(AwsQueryService.Ec2, new AwsPlace { Endpoint = new Uri(server.Urls.First()), Region = "eu-west-3", Credentials = new BasicAWSCredentials("AKIDEXAMPLE", "secret") });
    }

    /// <summary>Those that it has, in the order of their launch.</summary>
    public IReadOnlyList<FakeMachine> Machines
    {
        get
        {
            lock (gate)
                return [.. machines];
        }
    }

    /// <summary>The requests that came, each a form.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Requests { get; } = new();

    /// <summary>Says which launch is refused, by type and subnet, and how; null where it isn't.</summary>
    public Func<string?, string?, (int Status, string Code)?> Refuses { get; set; } = (_, _) => null;

    /// <summary>True while it does what it is told, and the answer gets lost.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>True while new machines are not shown.</summary>
    public bool HidesNew { get; set; }

    /// <summary>True while it goes on showing as running what it has ended.</summary>
    public bool ShowsEnded { get; set; }

    /// <summary>How far its clock is ahead.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>Machines on a page.</summary>
    public int PageSize { get; set; } = 1000;

    public static async Task<FakeEc2> StartAsync(ManualClock clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        FakeEc2? ec2 = null;
        web.Run(http => ec2!.ServeAsync(http));
        await web.StartAsync();
        return ec2 = new FakeEc2(web, clock);
    }

    /// <summary>A pool of its machines.</summary>
    public Ec2Pool Pool(string name = "p", string template = "workers") => new(client, name, template);

    /// <summary>Has a machine that nobody launched here.</summary>
    public FakeMachine Add(string name, string pool = "p", TimeSpan age = default, string state = "running")
    {
        var machine = new FakeMachine { Id = NewId(), Name = name, Pool = pool, LaunchedAt = clock.GetUtcNow() - age, State = state };
        lock (gate)
            machines.Add(machine);
        return machine;
    }

    /// <summary>How often an action was asked for.</summary>
    public int Count(string action) => Requests.Count(r => r["Action"] == action);

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    private static string NewId() => $"i-{RandomSource.System.NextHex(8)}0";

    private async Task ServeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var form = QueryHelpers.ParseQuery(await reader.ReadToEndAsync()).ToDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal);
        Requests.Enqueue(form);
        (int Status, string Body) answer;
        lock (gate)
        {
            answer = form["Action"] switch
            {
                "RunInstances" => Run(form),
                "DescribeInstances" => Describe(form),
                "TerminateInstances" => Terminate(form["InstanceId.1"]),
                var other => Error(400, "InvalidAction", other),
            };
        }
        if (LosesAnswers && form["Action"] == "RunInstances")
        {
            http.Abort();
            return;
        }
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "text/xml";
        await http.Response.WriteAsync(answer.Body);
    }

    private (int, string) Run(Dictionary<string, string> form)
    {
        if (machines.Find(m => m.Token == form["ClientToken"]) is { } again)
            return (200, $"<RunInstancesResponse xmlns='urn:ec2'><instancesSet>{Xml(again)}</instancesSet></RunInstancesResponse>");
        var (type, subnet) = (form.GetValueOrDefault("InstanceType"), form.GetValueOrDefault("SubnetId"));
        if (Refuses(type, subnet) is var (status, code))
            return Error(status, code, "as the test wants it");
        var tags = Enumerable.Range(1, 2).ToDictionary(i => form[$"TagSpecification.1.Tag.{i}.Key"], i => form[$"TagSpecification.1.Tag.{i}.Value"], StringComparer.Ordinal);
        var machine = new FakeMachine
        {
            Id = NewId(), Name = tags["Name"], Pool = tags["spotter:pool"], Type = type, Subnet = subnet, Token = form["ClientToken"], LaunchedAt = clock.GetUtcNow() + Ahead,
            State = "pending", IsHidden = HidesNew,
        };
        machines.Add(machine);
        return (200, $"<RunInstancesResponse xmlns='urn:ec2'><instancesSet>{Xml(machine)}</instancesSet></RunInstancesResponse>");
    }

    private (int, string) Describe(Dictionary<string, string> form)
    {
        form["Filter.1.Name"].ShouldBe("tag:spotter:pool");
        form["Filter.2.Name"].ShouldBe("instance-state-name");
        var states = form.Where(p => p.Key.StartsWith("Filter.2.Value.", StringComparison.Ordinal)).Select(p => p.Value).ToList();
        var found = machines.Where(m => m.Pool == form["Filter.1.Value.1"] && !m.IsHidden && states.Contains(m.State, StringComparer.Ordinal)).ToList();
        var from = int.Parse(form.GetValueOrDefault("NextToken", "0"), CultureInfo.InvariantCulture);
        var next = from + PageSize < found.Count ? $"<nextToken>{from + PageSize}</nextToken>" : "";
        // A reservation for each, as each was launched by itself.
        var items = string.Concat(found.Skip(from).Take(PageSize).Select(m => $"<item><instancesSet>{Xml(m)}</instancesSet></item>"));
        return (200, $"<DescribeInstancesResponse xmlns='urn:ec2'><reservationSet>{items}</reservationSet>{next}</DescribeInstancesResponse>");
    }

    private (int, string) Terminate(string id)
    {
        if (machines.Find(m => m.Id == id && !m.IsHidden) is not { } machine)
            return Error(400, "InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist");
        if (!ShowsEnded)
            machine.State = "shutting-down";
        return (200, "<TerminateInstancesResponse xmlns='urn:ec2'/>");
    }

    private static (int, string) Error(int status, string code, string message) =>
        (status, $"<Response><Errors><Error><Code>{code}</Code><Message>{WebUtility.HtmlEncode(message)}</Message></Error></Errors><RequestID>r</RequestID></Response>");

    private static string Xml(FakeMachine machine) =>
        $"<item><instanceId>{machine.Id}</instanceId><instanceState><code>0</code><name>{machine.State}</name></instanceState><clientToken>{machine.Token}</clientToken>"
        + $"<launchTime>{machine.LaunchedAt.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}</launchTime>"
        + $"<tagSet><item><key>Name</key><value>{machine.Name}</value></item><item><key>spotter:pool</key><value>{machine.Pool}</value></item></tagSet></item>";
}
