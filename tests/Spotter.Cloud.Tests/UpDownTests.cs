namespace Spotter.Cloud.Tests;

/// <summary>deploy/aws/up and deploy/aws/down, as they are typed.</summary>
public sealed class UpDownTests(Cloud cloud) : IClassFixture<Cloud>
{
    private static readonly string Up = Repository.File("deploy", "aws", "up");
    private static readonly string Down = Repository.File("deploy", "aws", "down");

    [CloudFact]
    public async Task What_up_makes_down_removes()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var (certificate, key) = Cloud.MakeCertificate(folder);
        var keys = folder.Write("keys.json", """{"keys":[]}""");
        string[] words = ["--certificate-file", certificate, "--certificate-key", key, "models=starter,plates"];

        var first = (await RunAsync(Up, ["--release", folder.Write("release", "one"), "--keys", keys, .. words])).Good();

        first.ShouldContain("Url\thttps://");
        first.ShouldContain("Table\tspotter");
        (await SecretsAsync()).ShouldBe(["spotter/certificate", "spotter/keys", "spotter/webhook-secret", "spotter/worker-token"]);
        var token = await SecretAsync("worker-token");
        token.Length.ShouldBe(64);
        (await SecretAsync("webhook-secret")).ShouldMatch(@"\Awhsec_[A-Za-z0-9+/=]{44}\z");
        (await SecretAsync("keys")).ShouldBe("""{"keys":[]}""");
        var image = await ParameterAsync("ImageId");
        image.ShouldStartWith("ami-");

        // Again, with another release: secrets stay, the gateways' template changes, the certificate keeps its name.
        var (release, arn) = (await ParameterAsync("ReleaseKey"), await ParameterAsync("CertificateArn"));
        (await RunAsync(Up, ["--release", folder.Write("release", "two"), .. words])).Good();
        (await SecretAsync("worker-token")).ShouldBe(token);
        (await ParameterAsync("ReleaseKey")).ShouldNotBe(release);
        (await ParameterAsync("CertificateArn")).ShouldBe(arn);

        // What has come together meanwhile: pictures, a queue that a gateway made, machines that it launched.
        var bucket = (await cloud.BucketsAsync()).Single(b => b.Contains("pictures", StringComparison.Ordinal));
        await cloud.S3Async(HttpMethod.Put, $"/{bucket}/in/picture", "x");
        await cloud.JsonAsync("sqs", "AmazonSQS.CreateQueue", """{"QueueName":"spotter-detect_later-high"}""");
        await cloud.JsonAsync("sqs", "AmazonSQS.CreateQueue", """{"QueueName":"spotters-own"}""");
        foreach (var tag in (string[])["spotter:stack", "spotter:pool"])
        {
            await cloud.QueryAsync(
                "ec2", "RunInstances", ("ImageId", image), ("MinCount", "1"), ("MaxCount", "1"), ("TagSpecification.1.ResourceType", "instance"),
                ("TagSpecification.1.Tag.1.Key", tag), ("TagSpecification.1.Tag.1.Value", "spotter"));
        }

        (await RunAsync(Down, ["--yes"])).Good();

        await NothingIsLeftAsync();
        (await cloud.QueuesAsync()).ShouldHaveSingleItem().ShouldEndWith("/spotters-own");
    }

    [CloudFact]
    public async Task Containers_come_from_an_image_that_up_pushes_where_it_can()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var (certificate, key) = Cloud.MakeCertificate(folder);
        var release = folder.Write("release", "one");
        string[] words =
        [
            "--release", release, "--keys", folder.Write("keys.json", "{}"), "--certificate", await cloud.ImportAsync(certificate, key),
            "--template", folder.Write("t.json", Templates.Text("fargate")), "gatewaysOn=fargate",
        ];
        folder.Program("docker", "#!/bin/bash\nexit 1\n");

        var told = await RunAsync(Up, words, folder.Path);

        told.Status.ShouldBe(1);
        told.Errors.ShouldContain($"cp {release} deploy/aws/image/spotter.tar.gz\n");
        told.Errors.ShouldMatch(@"docker push \S+/spotter/gateway:[0-9a-f]{64}\n");
        Cloud.Values(await cloud.QueryAsync("cloudformation", "DescribeStacks"), "StackName").ShouldBeEmpty();

        // One that pushes: it notes what it is asked, and puts an image where it is told to.
        folder.Program("docker", $$"""
            #!/bin/bash
            echo "$*" >>"{{folder.File("asked")}}"
            [ "$1" != login ] || cat >/dev/null
            [ "$1" != build ] || cp "${@: -1}"/{Dockerfile,start,spotter.tar.gz} "{{folder.Path}}"
            [ "$1" != push ] || aws --endpoint-url "$AWS_ENDPOINT_URL" ecr put-image --repository-name spotter/gateway --image-tag "${2##*:}" --image-manifest '{"schemaVersion":2}' --image-manifest-media-type application/vnd.docker.distribution.manifest.v2+json >/dev/null
            """);
        var first = (await RunAsync(Up, words, folder.Path)).Good();

        first.ShouldContain("Cluster\tspotter\n");
        var asked = await File.ReadAllTextAsync(folder.File("asked"));
        asked.ShouldContain("login --username AWS --password-stdin ");
        asked.ShouldMatch(@"build --platform linux/amd64 --tag \S+/spotter/gateway:[0-9a-f]{64} ");
        (await File.ReadAllTextAsync(folder.File("spotter.tar.gz"))).ShouldBe("one");
        (await ParameterAsync("SecretWebhookSecret")).ShouldStartWith("arn:aws:secretsmanager:");

        (await RunAsync(Down, ["--yes"], folder.Path)).Good();
        await NothingIsLeftAsync(imported: 1);
        // moto keeps the services of a stack that is gone.
        var service = (await cloud.JsonAsync("ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", """{"cluster":"spotter","services":["spotter-gateways"]}"""))["services"]!.AsArray();
        ((int)service.ShouldHaveSingleItem()!["desiredCount"]!).ShouldBe(0, "its containers would go on storing pictures");
    }

    [CloudFact]
    public async Task What_a_failed_up_has_left_down_removes()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        var template = folder.Write("t.json", Templates.Text("ours"));
        string[] words = ["--release", folder.Write("release", "one"), "--keys", folder.Write("keys.json", "{}"), "--template", template];

        var failed = await RunAsync(Up, [.. words, "--certificate", $"arn:aws:acm:{Cloud.Region}:123456789012:certificate/nobodys"]);

        failed.Status.ShouldBe(1);
        failed.Errors.ShouldContain("certificate was not found");
        failed.Errors.ShouldContain("remove everything with deploy/aws/down name=spotter");
        (await SecretsAsync()).ShouldNotBeEmpty();
        (await RunAsync(Down, ["--yes"])).Good();
        await NothingIsLeftAsync();
        (await cloud.QueuesAsync()).ShouldBeEmpty();
    }

    [CloudFact]
    public async Task Up_says_what_is_missing_and_has_made_nothing_then()
    {
        await cloud.ResetAsync();
        using var folder = new Folder();
        string[] most = ["--release", folder.Write("release", "one"), "--certificate", "arn:aws:acm:a"];

        (await RunAsync(Up, most)).Errors.ShouldContain("there are no API keys: ./spotter keys add NAME --tenant T --keys keys.json");
        (await RunAsync(Up, [.. most, "access=open", "telegram=on"])).Errors.ShouldContain("with telegram=on name the bot's token");
        (await RunAsync(Up, [.. most, "name=my-stack", "access=open"])).Errors.ShouldContain("the stack's name is my-stack");
        (await RunAsync(Up, [.. most, "access=open", "colour=red"])).Errors.ShouldContain("There is no setting colour");
        (await RunAsync(Up, ["--release", folder.File("none"), "--certificate", "a"])).Errors.ShouldContain("there is no file");
        (await RunAsync(Up, ["--release", folder.File("release")])).Status.ShouldBe(2);
        (await RunAsync(Down, ["name=../x", "--yes"])).Status.ShouldBe(1);
        (await RunAsync(Down, [])).Status.ShouldNotBe(0, "nobody has typed the name");

        await NothingIsLeftAsync();
    }

    /// <summary>
    /// All that costs, and all that holds something. moto keeps the network, as it neither detaches gateways of the internet from it nor
    /// frees the addresses of machines that are gone.
    /// </summary>
    /// <param name="imported">Certificates that were there before.</param>
    private async Task NothingIsLeftAsync(int imported = 0)
    {
        Cloud.Values(await cloud.QueryAsync("cloudformation", "DescribeStacks"), "StackName").ShouldBeEmpty();
        (await cloud.BucketsAsync()).ShouldBeEmpty();
        (await cloud.JsonAsync("dynamodb", "DynamoDB_20120810.ListTables"))["TableNames"]!.AsArray().ShouldBeEmpty();
        (await SecretsAsync()).ShouldBeEmpty();
        (await cloud.JsonAsync("acm", "CertificateManager.ListCertificates"))["CertificateSummaryList"]!.AsArray().Count.ShouldBe(imported);
        (await cloud.JsonAsync("logs", "Logs_20140328.DescribeLogGroups"))["logGroups"]!.AsArray().ShouldBeEmpty();
        (await cloud.JsonAsync("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"))["repositories"]!.AsArray().ShouldBeEmpty();
        foreach (var (service, action, name) in new[]
        {
            ("elasticloadbalancing", "DescribeLoadBalancers", "LoadBalancerName"), ("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroupName"),
            ("ec2", "DescribeLaunchTemplates", "launchTemplateId"), ("iam", "ListRoles", "RoleName"), ("sns", "ListTopics", "TopicArn"),
        })
        {
            // Two services share a name; their versions tell them apart.
            var parameters = service == "elasticloadbalancing" ? new[] { ("Version", "2015-12-01") } : [];
            Cloud.Values(await cloud.QueryAsync(service, action, parameters), name).ShouldBeEmpty(action);
        }
        Cloud.Values(await cloud.QueryAsync("ec2", "DescribeInstances"), "instanceState").ShouldAllBe(s => s.Contains("terminated"));
    }

    private async Task<IReadOnlyList<string>> SecretsAsync() =>
    [
        .. (await cloud.JsonAsync("secretsmanager", "secretsmanager.ListSecrets"))["SecretList"]!.AsArray().Select(s => (string)s!["Name"]!).Order(StringComparer.Ordinal),
    ];

    private async Task<string> SecretAsync(string name) =>
        (string)(await cloud.JsonAsync("secretsmanager", "secretsmanager.GetSecretValue", $$"""{"SecretId":"spotter/{{name}}"}"""))["SecretString"]!;

    private async Task<string> ParameterAsync(string name)
    {
        var stack = await cloud.QueryAsync("cloudformation", "DescribeStacks", ("StackName", "spotter"));
        return stack.Descendants().Where(e => e.Name.LocalName == "member" && Cloud.Value(e, "ParameterKey") == name && !e.Descendants().Any(d => d.Name.LocalName == "member"))
            .Select(e => Cloud.Value(e, "ParameterValue")!).ShouldHaveSingleItem();
    }

    /// <param name="script">Which one.</param>
    /// <param name="words">What is typed after it.</param>
    /// <param name="programs">A folder with programs that stand before others of their names; null for none.</param>
    private Task<ShellResult> RunAsync(string script, IReadOnlyList<string> words, string? programs = null) => Shell.RunAsync(
        script, words, programs is null ? cloud.Environment : new Dictionary<string, string?>(cloud.Environment) { ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}" });
}
