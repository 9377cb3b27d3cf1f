using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Spotter.Cloud.Tests;

/// <summary>Every statement of every policy, in every mode: nothing is left open that AWS lets us close.</summary>
public sealed partial class PolicyTests
{
    /// <summary>Actions for which AWS knows no resource (its Service Authorization Reference), and the condition that narrows each.</summary>
    private static readonly Dictionary<string, string> WithoutResource = new(StringComparer.Ordinal)
    {
        ["cloudwatch:PutMetricData"] = "cloudwatch:namespace",
        ["autoscaling:DescribeAutoScalingGroups"] = "aws:RequestedRegion",
        ["ec2:DescribeInstances"] = "aws:RequestedRegion",
        ["ecr:GetAuthorizationToken"] = "aws:RequestedRegion",
    };

    public static TheoryData<string> All => Templates.All;

    /// <summary>The key that narrows an action without a resource; null when there is none for it.</summary>
    private static string? Running(string action) => WithoutResource.GetValueOrDefault(action);

    private static string? Deploying(string action) => action switch
    {
        "sts:GetCallerIdentity" => "aws:PrincipalAccount",
        "ecr:GetAuthorizationToken" or "ecs:DeregisterTaskDefinition" => "aws:RequestedRegion",
        _ when action.Split(':')[1] is var verb && (verb.StartsWith("Describe", StringComparison.Ordinal) || verb.StartsWith("List", StringComparison.Ordinal)) => "aws:RequestedRegion",
        _ => null,
    };

    [Theory]
    [MemberData(nameof(All))]
    public void No_statement_allows_more_than_it_has_to(string name)
    {
        var template = Templates.Read(name);
        var statements = Statements(template).ToList();
        statements.Count.ShouldBeGreaterThan(20);

        foreach (var (where, statement) in statements)
            Fault(statement, Running).ShouldBeNull($"{name}: {where}: {statement.ToJsonString()}");
    }

    [Fact]
    public void Whoever_deploys_needs_no_more_than_the_stack_has()
    {
        var policy = JsonNode.Parse(File.ReadAllText(Repository.File("deploy", "aws", "deployer-policy.json")))!;
        policy.ToJsonString().Length.ShouldBeLessThan(10_240, "an inline policy of a role may have no more");

        // Looking has no resource in most services, and who one is belongs to nobody.
        foreach (var (_, statement) in Statements(policy))
            Fault(statement, Deploying).ShouldBeNull(statement.ToJsonString());
    }

    [Theory]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a"}""")]
    [InlineData("""{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a"}""")]
    [InlineData("""{"Effect":"Allow","Action":["s3:GetObject","s3:Put*"],"Resource":"arn:aws:s3:::a/in/*"}""")]
    [InlineData("""{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}""")]
    [InlineData("""{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::*/in/*"}""")]
    [InlineData("""{"Effect":"Allow","Action":"sqs:SendMessage","Resource":{"Fn::Sub":"arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*"}}""")]
    [InlineData("""{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*"}""")]
    [InlineData("""{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}}""")]
    [InlineData("""{"Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"arn:aws:ec2:a:1:instance/*"}""")]
    [InlineData("""{"Effect":"Allow","NotAction":"iam:PassRole","Resource":"arn:aws:s3:::a"}""")]
    [InlineData("""{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:a:1:t","Principal":{"AWS":"*"}}""")]
    [InlineData("""{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/r"}""")]
    public void Open_statements_are_seen(string statement) => Fault(JsonNode.Parse(statement)!, Running).ShouldNotBeNull();

    [Theory]
    [MemberData(nameof(All))]
    public void Queues_buckets_and_topics_take_nothing_without_tls(string name)
    {
        foreach (var (policy, of, property) in new[]
        {
            ("AWS::SQS::QueuePolicy", "AWS::SQS::Queue", "Queues"), ("AWS::S3::BucketPolicy", "AWS::S3::Bucket", "Bucket"), ("AWS::SNS::TopicPolicy", "AWS::SNS::Topic", "Topics"),
        })
        {
            var guarded = Templates.Resources(name, policy).Values
                .Where(p => p["PolicyDocument"]!["Statement"]!.AsArray().Any(s => RefusesWithoutTls(s!)))
                .SelectMany(p => p[property] is JsonArray many ? many.Select(m => (string)m!["Ref"]!) : [(string)p[property]!["Ref"]!]);

            guarded.ShouldBe(Templates.Resources(name, of).Keys, ignoreOrder: true, $"{name}: {of}");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Workers_may_fetch_the_release_and_their_token_and_write_their_log(string name)
    {
        var worker = Templates.Resources(name, "AWS::IAM::Policy")
            .Where(p => p.Value["Roles"]!.AsArray().Any(r => ((string)r!["Ref"]!).StartsWith("Workers", StringComparison.Ordinal)))
            .ShouldHaveSingleItem().Value;

        var actions = worker["PolicyDocument"]!["Statement"]!.AsArray().SelectMany(s => Texts(s!["Action"]));
        // Only from a warm pool does a machine have to say that it is ready.
        string[] ready = name == "warm" ? ["autoscaling:CompleteLifecycleAction"] : [];
        actions.ShouldBe(
            [
                .. ready,
                "s3:GetObject", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", "cloudwatch:PutMetricData",
                "secretsmanager:GetSecretValue", "ssm:GetParameter",
            ],
            ignoreOrder: true);
        worker.ToJsonString().ShouldContain("/worker-token-??????");
        worker.ToJsonString().ShouldNotContain("/keys");
    }

    [Theory]
    [InlineData("fargate")]
    [InlineData("inside")]
    public void Containers_are_started_by_another_role_than_they_run_as(string name)
    {
        string[] starts = ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:GetSecretValue"];
        var container = Templates.Resource(name, "AWS::ECS::TaskDefinition");
        string Role(string property) => (string)container[property]!["Fn::GetAtt"]![0]!;

        ActionsOf(name, Role("ExecutionRoleArn")).ShouldBe(starts, ignoreOrder: true);
        ActionsOf(name, Role("TaskRoleArn")).Intersect(starts).ShouldBeEmpty("the program gets its secrets, and needs no registry and no log");
        // But for what only machines do, those are the rights of a gateway on a machine.
        var machines = ActionsOf(name == "inside" ? "tracking" : "ours", "GatewaysMachinesRole");
        ActionsOf(name, Role("TaskRoleArn")).Append("cloudformation:SignalResource").Except(machines).ShouldBeEmpty();
        machines.Except(ActionsOf(name, Role("TaskRoleArn"))).Except([.. starts, "cloudformation:SignalResource", "cloudwatch:PutMetricData", "logs:DescribeLogStreams", "ssm:GetParameter"])
            .ShouldBeEmpty();
    }

    [Fact]
    public void An_earlier_services_parts_may_be_used_by_gateways_and_as_they_have_to_be()
    {
        var allowed = Templates.Resources("earlier", "AWS::IAM::Policy").Values
            .SelectMany(p => p["PolicyDocument"]!["Statement"]!.AsArray())
            .Where(s => ((string?)s!["Sid"])?.Contains("Earlier", StringComparison.Ordinal) == true)
            .SelectMany(s => Texts(s!["Action"]).SelectMany(action => Resources(s!).Select(resource => $"{action} {resource.Split(':')[^1]}"))).ToList();
        allowed.ShouldBe(
            [
                "sqs:ChangeMessageVisibility identify", "sqs:DeleteMessage identify", "sqs:GetQueueAttributes identify", "sqs:GetQueueUrl identify", "sqs:ReceiveMessage identify",
                "sqs:GetQueueUrl results", "sqs:SendMessage results", "s3:GetObject old-pictures/*", "s3:PutObject old-pictures/*", "s3:ListBucket old-pictures",
                "dynamodb:PutItem table/predictions",
            ],
            ignoreOrder: true);

        var told = Templates.UserData("earlier", "gateway");
        foreach (var setting in (string[])["COMPAT=s2", "MESSAGES__REQUESTQUEUE=identify", "MESSAGES__RESULTQUEUE=results", "MESSAGES__BUCKET=old-pictures", "MESSAGES__TABLE=predictions"])
            told.ShouldContain($"SPOTTER__{setting}\n");
    }

    private static HashSet<string> ActionsOf(string name, string role) => Templates.Resources(name, "AWS::IAM::Policy").Values
        .Where(p => p["Roles"]!.AsArray().Any(r => ((string)r!["Ref"]!).StartsWith(role, StringComparison.Ordinal)))
        .SelectMany(p => p["PolicyDocument"]!["Statement"]!.AsArray()).SelectMany(s => Texts(s!["Action"])).ToHashSet(StringComparer.Ordinal);

    [Fact]
    public void Gateways_may_make_every_call_that_the_backend_makes()
    {
        var source = string.Join('\n', Directory.GetFiles(Repository.File("src", "Spotter.Backends", "Aws"), "*.cs").Select(File.ReadAllText));
        var calls = Call().Matches(source).Select(m => m.Groups["call"].Value).Distinct(StringComparer.Ordinal).ToList();
        calls.Count.ShouldBeGreaterThan(12);
        var allowed = Templates.Resources("ours", "AWS::IAM::Policy").Where(p => p.Key.StartsWith("Gateways", StringComparison.Ordinal)).ShouldHaveSingleItem().Value
            ["PolicyDocument"]!["Statement"]!.AsArray().SelectMany(s => Texts(s!["Action"])).Select(a => a.Split(':')[1]).ToHashSet(StringComparer.Ordinal);

        // A batch of messages is allowed as one is, a transaction as what is in it. The table and the queues are the stack's to make.
        calls.Select(c => c.EndsWith("Batch", StringComparison.Ordinal) ? c[..^"Batch".Length] : c)
            .Except(["TransactWriteItems", "CreateTable", "CreateQueue"], StringComparer.Ordinal).Where(c => !allowed.Contains(c)).ShouldBeEmpty();
        if (source.Contains("new ConditionCheck", StringComparison.Ordinal) || source.Contains("ConditionCheck =", StringComparison.Ordinal))
            allowed.ShouldContain("ConditionCheckItem");
    }

    [GeneratedRegex(@"\b(client|clients\.Dynamo|clients\.Sqs)\.(?<call>[A-Z][A-Za-z]+)Async\(", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Call();

    [Fact]
    public void What_scales_follows_the_mode()
    {
        Autoscaler("ours").ShouldBe(
        [
            "autoscaling:DescribeAutoScalingGroups", "autoscaling:CompleteLifecycleAction", "autoscaling:SetDesiredCapacity",
            "autoscaling:SetInstanceProtection", "autoscaling:TerminateInstanceInAutoScalingGroup",
        ]);
        Autoscaler("tracking").ShouldBe(["autoscaling:DescribeAutoScalingGroups", "cloudwatch:PutMetricData"]);
        Autoscaler("cpu").ShouldBeEmpty();
        Autoscaler("pool").ShouldBe(["ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances", "ec2:DescribeInstances", "iam:PassRole"]);
    }

    private static IEnumerable<string> Autoscaler(string name) => Templates.Resources(name, "AWS::IAM::Policy").Values
        .Where(p => (string)p["PolicyName"]! == "autoscaler")
        .SelectMany(p => p["PolicyDocument"]!["Statement"]!.AsArray())
        .SelectMany(s => Texts(s!["Action"]));

    /// <summary>All statements anywhere in a template, also those of a type that nobody thought of.</summary>
    private static IEnumerable<(string Where, JsonNode Statement)> Statements(JsonNode node) => node switch
    {
        JsonObject map when map["Effect"] is not null => [(map.GetPath(), map)],
        JsonObject map => map.Where(p => p.Value is not null).SelectMany(p => Statements(p.Value!)),
        JsonArray list => list.Where(i => i is not null).SelectMany(i => Statements(i!)),
        _ => [],
    };

    /// <summary>What is wrong with a statement; null when nothing is.</summary>
    private static string? Fault(JsonNode statement, Func<string, string?> narrowing)
    {
        if ((string)statement["Effect"]! == "Deny")
            return RefusesWithoutTls(statement) ? null : "refuses something, which nobody looks at here";
        if (statement["NotAction"] is not null || statement["NotResource"] is not null || statement["NotPrincipal"] is not null)
            return "allows all but something";
        var actions = Texts(statement["Action"]).ToList();
        if (actions.Count == 0 || actions.Exists(a => a.Contains('*', StringComparison.Ordinal)))
            return "allows actions that it doesn't name";
        var conditions = ConditionKeys(statement);
        if (statement["Principal"] is { } principal)
        {
            // Of a resource: a service of this account's, or of a VPC endpoint what comes from this account or fetches what is named.
            var anybody = principal.ToJsonString().Contains('*', StringComparison.Ordinal);
            if (!anybody)
                return actions is ["sts:AssumeRole"] || conditions.Contains("aws:SourceAccount") ? null : "a service may do that for any account";
            return conditions.Contains("aws:PrincipalAccount") || (actions is ["s3:GetObject"] && !Resources(statement).Contains("*", StringComparer.Ordinal))
                ? null : "anybody may do that";
        }
        foreach (var resource in Resources(statement))
        {
            if (resource == "*")
            {
                if (actions.Exists(a => narrowing(a) is not { } key || !conditions.Contains(key)))
                    return "allows any resource";
            }
            else if (IsOpen(resource) && conditions.Count == 0)
            {
                return $"allows {resource} without a condition";
            }
        }
        return actions.Contains("iam:PassRole", StringComparer.Ordinal) && !conditions.Contains("iam:PassedToService") ? "gives a role to any service" : null;
    }

    /// <summary>Whether a name leaves open whose it is: after the service, region and account there must be a word before any star.</summary>
    private static bool IsOpen(string arn)
    {
        var parts = arn.Replace("${AWS::", "${", StringComparison.Ordinal).Split(':', 6);
        if (parts.Length < 6 || parts[..5].Any(p => p.Contains('*', StringComparison.Ordinal)))
            return true;
        var (service, resource) = (parts[2], parts[5]);
        var star = resource.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
            return false;
        // The group's id is unknown, its name isn't.
        if (service == "autoscaling")
            return !resource.StartsWith("autoScalingGroup:*:autoScalingGroupName/", StringComparison.Ordinal) || resource.EndsWith('*');
        // EC2's types of resources are no names.
        return star == 0 || (service == "ec2" && resource[star - 1] == '/');
    }

    private static IEnumerable<string> Resources(JsonNode statement) => statement["Resource"] switch
    {
        JsonArray list => list.Select(r => Flat(r!)),
        { } one => [Flat(one)],
        _ => [],
    };

    /// <summary>A name as one text, with what CloudFormation looks up as a word in it.</summary>
    private static string Flat(JsonNode node) => node switch
    {
        JsonValue value => (string)value!,
        JsonObject map when map["Fn::Sub"] is JsonValue sub => (string)sub!,
        JsonObject map when map["Fn::Join"] is JsonArray join => string.Join((string)join[0]!, join[1]!.AsArray().Select(p => Flat(p!))),
        JsonObject map when map["Ref"] is JsonValue reference => $"${{{(string)reference!}}}",
        JsonObject map when map["Fn::GetAtt"] is JsonArray attribute => (string)attribute[1]! == "Arn" ? $"arn:p:s:r:a:{(string)attribute[0]!}" : $"${{{(string)attribute[0]!}}}",
        _ => throw new InvalidOperationException($"No name is known to look so: {node.ToJsonString()}"),
    };

    private static bool RefusesWithoutTls(JsonNode statement) =>
        (string)statement["Effect"]! == "Deny"
        && (string?)statement["Condition"]?["Bool"]?["aws:SecureTransport"] == "false"
        && statement["Principal"]!.ToJsonString().Contains('*', StringComparison.Ordinal);

    private static HashSet<string> ConditionKeys(JsonNode statement) => statement["Condition"] is JsonObject conditions
        ? [.. conditions.SelectMany(c => c.Value!.AsObject().Select(k => k.Key))]
        : [];

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonArray list => list.Select(i => (string)i!),
        JsonValue value => [(string)value!],
        _ => [],
    };
}
