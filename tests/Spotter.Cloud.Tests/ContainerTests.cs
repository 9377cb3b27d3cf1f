using System.Text.Json.Nodes;

namespace Spotter.Cloud.Tests;

/// <summary>Gateways in containers: what the template says of them, and the files of their image, which nothing here can build.</summary>
public sealed class ContainerTests
{
    private static readonly string Image = Repository.File("deploy", "aws", "image");

    public static TheoryData<string> All => ["fargate", "inside"];

    [Theory]
    [MemberData(nameof(All))]
    public void They_run_without_rights_on_files_that_they_cannot_change(string name)
    {
        var container = Container(name);

        ((string)container["User"]!).ShouldBe("10001");
        ((bool)container["ReadonlyRootFilesystem"]!).ShouldBeTrue();
        container["LinuxParameters"]!["Capabilities"]!["Drop"]!.AsArray().Select(d => (string)d!).ShouldBe(["ALL"]);
        container["MountPoints"]!.AsArray().Select(m => (string)m!["ContainerPath"]!).ShouldBe(["/var/lib/spotter", "/run/spotter", "/tmp"]);
        container["Privileged"].ShouldBeNull();
        container["Image"]!.ToJsonString().ShouldContain("/spotter/gateway:${ReleaseSha256}");
        container["HealthCheck"]!["Command"]!.AsArray().Select(c => (string)c!).ShouldBe(["CMD", "/opt/healthy"]);
        Templates.Resource(name, "AWS::ECS::Service")["EnableExecuteCommand"].ShouldBeNull("nobody gets a shell in them");
    }

    [Theory]
    [InlineData("fargate", "ours", "serve")]
    [InlineData("inside", "tracking", "gateway")]
    public void They_are_told_what_machines_are_told(string name, string machines, string command)
    {
        var container = Container(name);
        var told = container["Environment"]!.AsArray().ToDictionary(e => (string)e!["Name"]!, e => e!["Value"]!.ToJsonString(), StringComparer.Ordinal);

        container["Command"]!.AsArray().Select(c => (string)c!).ShouldBe([command]);
        told.Remove("SECRETS", out var secrets).ShouldBeTrue();
        secrets.ShouldBe("\"worker-token webhook-secret keys.json\"");
        var lines = Templates.UserData(machines, "gateway").Split('\n').Select(l => l.Replace("environment=", "", StringComparison.Ordinal).Trim('\''));
        told.Keys.ShouldBe(lines.Where(l => l.StartsWith("SPOTTER__", StringComparison.Ordinal) || l.StartsWith("AWS_REGION", StringComparison.Ordinal)).Select(l => l.Split('=')[0]), ignoreOrder: true);
        // Each secret by the ARN that the template is given, and by nothing that holds it.
        container["Secrets"]!.AsArray().Select(s => $"{s!["Name"]} {s["ValueFrom"]!["Ref"]}")
            .ShouldBe(["SECRET_WORKER_TOKEN SecretWorkerToken", "SECRET_WEBHOOK_SECRET SecretWebhookSecret", "SECRET_KEYS_JSON SecretKeys"]);
    }

    [Theory]
    [InlineData("fargate", "ENABLED", 2)]
    [InlineData("inside", "DISABLED", 3)]
    public void They_stand_in_two_zones_behind_both_load_balancers(string name, string address, int number)
    {
        var service = Templates.Resource(name, "AWS::ECS::Service");
        var place = service["NetworkConfiguration"]!["AwsvpcConfiguration"]!;
        var isPublic = place["Subnets"]!.AsArray().Select(s => (bool)Templates.Resources(name, "AWS::EC2::Subnet")[(string)s!["Ref"]!]["MapPublicIpOnLaunch"]!).ToList();
        var deployment = service["DeploymentConfiguration"]!;
        var targets = Templates.Resources(name, "AWS::ElasticLoadBalancingV2::TargetGroup");

        $"{service["DesiredCount"]} {service["LaunchType"]} {place["AssignPublicIp"]}".ShouldBe($"{number} FARGATE {address}");
        isPublic.ShouldBe(address == "ENABLED" ? [true, true] : [false, false]);
        $"{deployment["MinimumHealthyPercent"]} {deployment["DeploymentCircuitBreaker"]!["Enable"]} {deployment["DeploymentCircuitBreaker"]!["Rollback"]}".ShouldBe("100 true true");
        service["LoadBalancers"]!.AsArray().Select(b => (string)b!["TargetGroupArn"]!["Ref"]!).ShouldBe(targets.Keys, ignoreOrder: true);
        targets.Values.ShouldAllBe(t => (string)t["TargetType"]! == "ip");
        Templates.Resources(name, "AWS::AutoScaling::AutoScalingGroup").Keys.ShouldNotContain("GatewayGroup");
        // ECS takes no target group that no load balancer has yet.
        var waitsFor = Templates.Read(name)["Resources"]!.AsObject().Single(r => (string)r.Value!["Type"]! == "AWS::ECS::Service").Value!["DependsOn"]!.AsArray().Select(d => (string)d!).ToList();
        waitsFor.ShouldContain(d => d.StartsWith("LoadBalancersHttps", StringComparison.Ordinal));
        waitsFor.ShouldContain(d => d.StartsWith("LoadBalancersWorkersInside", StringComparison.Ordinal));
        waitsFor.ShouldContain(d => d.StartsWith("GatewaysRoleDefaultPolicy", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_there_is_no_way_to_the_internet_endpoints_lead_to_all_that_they_need()
    {
        var endpoints = Templates.Resources("inside", "AWS::EC2::VPCEndpoint").Values.Select(e => e["ServiceName"] switch
        {
            JsonValue text => (string)text!,
            { } join => string.Concat(join["Fn::Join"]![1]!.AsArray().Select(p => p is JsonValue ? (string)p! : "")),
            _ => "",
        }).Select(service => service.Replace("com.amazonaws.", "", StringComparison.Ordinal).TrimStart('.'));

        endpoints.ShouldBe(["s3", "secretsmanager", "logs", "monitoring", "dynamodb", "ecr.api", "ecr.dkr", "sqs", "autoscaling"], ignoreOrder: true);
        Templates.Resources("fargate", "AWS::EC2::VPCEndpoint").ShouldBeEmpty();
        Templates.Resources("options", "AWS::EC2::VPCEndpoint").Count.ShouldBe(4, "machines of gateways have a way of their own");
    }

    [Fact]
    public void The_image_has_what_the_release_has_and_a_user_without_rights()
    {
        var lines = File.ReadAllLines(Path.Combine(Image, "Dockerfile")).Where(l => l.Length > 0 && !l.StartsWith('#')).ToList();
        var from = lines.FindLastIndex(l => l.StartsWith("FROM ", StringComparison.Ordinal));
        var last = lines[from..];

        lines.Count(l => l.StartsWith("FROM ", StringComparison.Ordinal)).ShouldBe(2, "the release's archive stays behind");
        last.ShouldContain("COPY --from=unpack /opt/spotter /opt/spotter");
        last.FindIndex(l => l == "USER 10001").ShouldBeInRange(last.FindLastIndex(l => l.StartsWith("RUN ", StringComparison.Ordinal)), last.FindIndex(l => l.StartsWith("ENTRYPOINT ", StringComparison.Ordinal)));
        last.ShouldContain(l => l.StartsWith("HEALTHCHECK ", StringComparison.Ordinal) && l.EndsWith("CMD [\"/opt/healthy\"]", StringComparison.Ordinal));
        last.Single(l => l.StartsWith("VOLUME ", StringComparison.Ordinal)).ShouldBe("VOLUME [\"/var/lib/spotter\", \"/run/spotter\", \"/tmp\"]");
        foreach (var file in (string[])["start", "healthy"])
            File.GetUnixFileMode(Path.Combine(Image, file)).HasFlag(UnixFileMode.OtherExecute).ShouldBeTrue(file);
    }

    [Fact]
    public async Task A_container_has_its_secrets_in_files_of_its_own_and_not_in_its_environment()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder.File("run/spotter"));
        folder.Program("opt/spotter/spotter", "#!/bin/bash\necho \"ran $*\"\nenv\n");
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["SPOTTER_IMAGE_ROOT"] = folder.Path, ["SECRETS"] = "worker-token keys.json",
            ["SECRET_WORKER_TOKEN"] = "a token", ["SECRET_KEYS_JSON"] = "{\"keys\": [] }\n",
        };

        var ran = (await Shell.RunAsync(Path.Combine(Image, "start"), ["serve", "--more"], environment)).Good();

        ran.ShouldStartWith("ran serve --more\n");
        ran.ShouldNotContain("a token");
        ran.ShouldNotContain("SECRET_");
        File.ReadAllText(folder.File("run/spotter/worker-token")).ShouldBe("a token");
        File.ReadAllText(folder.File("run/spotter/keys.json")).ShouldBe("{\"keys\": [] }\n");
        File.GetUnixFileMode(folder.File("run/spotter/keys.json")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        environment.Remove("SECRET_KEYS_JSON");
        (await Shell.RunAsync(Path.Combine(Image, "start"), ["serve"], environment)).Errors.ShouldContain("SECRET_KEYS_JSON");
    }

    private static JsonNode Container(string name) => Templates.Resource(name, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]!.AsArray().ShouldHaveSingleItem()!;
}
