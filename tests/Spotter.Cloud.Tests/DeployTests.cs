using System.Text.Json.Nodes;

namespace Spotter.Cloud.Tests;

/// <summary>CloudFormation takes every template, and what its outputs name is there and as the program needs it.</summary>
public sealed class DeployTests(Cloud cloud) : IClassFixture<Cloud>
{
    public static TheoryData<string> All => Templates.All;

    [CloudTheory]
    [MemberData(nameof(All))]
    public async Task A_template_becomes_a_stack(string name)
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var (certificate, key) = Cloud.MakeCertificate(folder);
        var arn = await cloud.ImportAsync(certificate, key);
        await cloud.S3Async(HttpMethod.Put, "/templates");
        await cloud.S3Async(HttpMethod.Put, "/templates/t.json", Templates.Text(name));

        await cloud.QueryAsync(
            "cloudformation", "CreateStack",
            [
                ("StackName", "spotter"), ("TemplateURL", "https://templates.s3.amazonaws.com/t.json"), ("Capabilities.member.1", "CAPABILITY_IAM"),
                .. Parameters(
                [
                    ("ReleaseBucket", "releases"), ("ReleaseKey", "r.tar.gz"), ("ReleaseSha256", new string('0', 64)), ("ImageId", "ami-0123456789abcdef0"), ("CertificateArn", arn),
                    .. Templates.Read(name)["Parameters"]!.AsObject().Where(p => p.Key.StartsWith("Secret", StringComparison.Ordinal)).Select(p => (p.Key, $"arn:of:{p.Key}")),
                ]),
            ]);

        var stack = await cloud.QueryAsync("cloudformation", "DescribeStacks", ("StackName", "spotter"));
        Cloud.Value(stack, "StackStatus").ShouldBe("CREATE_COMPLETE");
        var outputs = Cloud.Values(stack, "OutputKey").Zip(Cloud.Values(stack, "OutputValue")).ToDictionary(o => o.First, o => o.Second, StringComparer.Ordinal);
        var settings = Templates.SettingsOf(name);
        await CheckTableAsync(outputs["Table"]);
        await CheckQueuesAsync(settings, outputs["QueuePrefix"]);
        (await cloud.BucketsAsync()).ShouldBe(new[] { "templates", outputs["InputBucket"], outputs["OutputBucket"] }.Distinct(), ignoreOrder: true);
        (outputs["InputBucket"] != outputs["OutputBucket"]).ShouldBe(settings.HasTwoBuckets);
        await CheckMachinesAsync(settings, outputs);
        if (settings.HasContainers)
            await CheckContainersAsync(settings, outputs);
        outputs["Environment"].ShouldContain($"SPOTTER__AWS__TABLE={outputs["Table"]} SPOTTER__AWS__QUEUES={outputs["QueuePrefix"]} SPOTTER__BLOBS=s3://{outputs["InputBucket"]}");
    }

    private async Task CheckTableAsync(string name)
    {
        ((string)(await cloud.JsonAsync("dynamodb", "DynamoDB_20120810.DescribeTable", $$"""{"TableName":"{{name}}"}"""))["Table"]!["TableStatus"]!).ShouldBe("ACTIVE");
        // An item of the backend's form goes in, and comes out by each index.
        await cloud.JsonAsync("dynamodb", "DynamoDB_20120810.PutItem", $$"""
            {"TableName":"{{name}}","Item":{"pk":{"S":"a"},"sk":{"S":"b"},"opk":{"S":"o"},"upk":{"S":"u"},"usk":{"S":"v"} } }
            """);
        foreach (var (index, key, value) in new[] { ("owner", "opk", "o"), ("unlucky", "upk", "u") })
        {
            var found = await cloud.JsonAsync("dynamodb", "DynamoDB_20120810.Query", $$"""
                {"TableName":"{{name}}","IndexName":"{{index}}","KeyConditionExpression":"{{key}} = :v","ExpressionAttributeValues":{":v":{"S":"{{value}}"} } }
                """);
            ((int)found["Count"]!).ShouldBe(1, index);
        }
    }

    private async Task CheckQueuesAsync(StackSettings settings, string prefix)
    {
        var urls = await cloud.QueuesAsync();
        // A model has its own queue and that of tensors, a pair only its own.
        var queues = settings.Models.Sum(model => model.Count(c => c == '/') > 1 ? 1 : 2) + 2;
        urls.Count.ShouldBe((queues * 3) + 2);
        var dead = await cloud.AttributesAsync(urls.Single(u => u.EndsWith($"/{prefix}-dead", StringComparison.Ordinal)));
        ((string)dead["MessageRetentionPeriod"]!).ShouldBe("1209600");
        urls.ShouldContain(u => u.EndsWith($"/{prefix}-uploads", StringComparison.Ordinal));
        foreach (var url in urls.Where(u => !u.EndsWith("-dead", StringComparison.Ordinal) && !u.EndsWith("-uploads", StringComparison.Ordinal)))
        {
            var queue = await cloud.AttributesAsync(url);
            $"{queue["VisibilityTimeout"]} {queue["MessageRetentionPeriod"]} {queue["ReceiveMessageWaitTimeSeconds"]} {queue["SqsManagedSseEnabled"]}".ShouldBe("60 345600 20 true", url);
            var redrive = JsonNode.Parse((string)queue["RedrivePolicy"]!)!;
            $"{redrive["deadLetterTargetArn"]} {redrive["maxReceiveCount"]}".ShouldBe($"{dead["QueueArn"]} 5");
        }
    }

    private async Task CheckMachinesAsync(StackSettings settings, Dictionary<string, string> outputs)
    {
        var template = await cloud.QueryAsync("ec2", "DescribeLaunchTemplateVersions", ("LaunchTemplateId", outputs["WorkerTemplate"]));
        $"{Cloud.Value(template, "httpTokens")} {Cloud.Value(template, "httpPutResponseHopLimit")}".ShouldBe("required 1");
        var running = Cloud.Values(await cloud.QueryAsync(
            "ec2", "DescribeInstances", ("Filter.1.Name", "tag:spotter:stack"), ("Filter.1.Value.1", "spotter")), "instanceId");
        var workers = settings.Scaling == ScalingMode.Cpu ? 1 : 0;
        var gateways = settings.HasContainers ? 0 : settings.Gateways;
        running.Count.ShouldBe(gateways + workers);
        var targets = await cloud.QueryAsync("elasticloadbalancing", "DescribeTargetHealth", ("TargetGroupArn", outputs["TargetGroup"]), ("Version", "2015-12-01"));
        var behind = Cloud.Values(targets, "Id");
        behind.Count.ShouldBe(gateways);
        behind.ShouldBeSubsetOf(running);
        outputs.ContainsKey("WorkerGroup").ShouldBe(settings.Scaling != ScalingMode.Pool);
    }

    /// <summary>moto starts no container, and keeps of a service in a template not much more than its number.</summary>
    private async Task CheckContainersAsync(StackSettings settings, Dictionary<string, string> outputs)
    {
        var service = (await EcsAsync("DescribeServices", $$"""{"cluster":"{{outputs["Cluster"]}}","services":["spotter-gateways"]}"""))["services"]!.AsArray().ShouldHaveSingleItem()!;
        ((int)service["desiredCount"]!).ShouldBe(settings.Gateways);
        var task = (await EcsAsync("DescribeTaskDefinition", $$"""{"taskDefinition":"{{service["taskDefinition"]}}"}"""))["taskDefinition"]!;
        ((string)task["family"]!).ShouldBe("spotter-gateway");
        var container = task["containerDefinitions"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)container["image"]!).ShouldEndWith($"/spotter/gateway:{new string('0', 64)}");
        container["secrets"]!.AsArray().Select(s => $"{s!["name"]}={s["valueFrom"]}")
            .ShouldBe(["SECRET_WORKER_TOKEN=arn:of:SecretWorkerToken", "SECRET_WEBHOOK_SECRET=arn:of:SecretWebhookSecret", "SECRET_KEYS_JSON=arn:of:SecretKeys"]);
    }

    private Task<JsonNode> EcsAsync(string action, string body) => cloud.JsonAsync("ecs", $"AmazonEC2ContainerServiceV20141113.{action}", body);

    private static IEnumerable<(string, string)> Parameters(params (string Name, string Value)[] parameters) => parameters.SelectMany((p, i) => new[]
    {
        ($"Parameters.member.{i + 1}.ParameterKey", p.Name), ($"Parameters.member.{i + 1}.ParameterValue", p.Value),
    });
}
