using System.Text.Json.Nodes;

namespace Spotter.Cloud.Tests;

/// <summary>What the templates say of each part, and what the modes and options change.</summary>
public sealed class StackTests
{
    public static TheoryData<string> All => Templates.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Machines_ask_for_tokens_and_give_none_away(string name)
    {
        var templates = Templates.Resources(name, "AWS::EC2::LaunchTemplate").Values.Select(t => t["LaunchTemplateData"]!).ToList();
        templates.Count.ShouldBe(Templates.SettingsOf(name).HasContainers ? 1 : 2);
        foreach (var data in templates)
        {
            ((string)data["MetadataOptions"]!["HttpTokens"]!).ShouldBe("required");
            ((int)data["MetadataOptions"]!["HttpPutResponseHopLimit"]!).ShouldBe(1);
            ((bool)data["BlockDeviceMappings"]![0]!["Ebs"]!["Encrypted"]!).ShouldBeTrue();
            data["KeyName"].ShouldBeNull();
        }
        Templates.Resources(name, "AWS::AutoScaling::LaunchConfiguration").ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Tables_keys_are_those_that_the_backend_asks_for(string name)
    {
        var table = Templates.Resource(name, "AWS::DynamoDB::Table");

        Keys(table).ShouldBe("pk HASH, sk RANGE");
        table["GlobalSecondaryIndexes"]!.AsArray().Select(i => $"{i!["IndexName"]}: {Keys(i)}, {i["Projection"]!["ProjectionType"]}")
            .ShouldBe(["owner: opk HASH, sk RANGE, KEYS_ONLY", "unlucky: upk HASH, usk RANGE, KEYS_ONLY"]);
        table["AttributeDefinitions"]!.AsArray().ShouldAllBe(a => (string)a!["AttributeType"]! == "S");
        ((string)table["BillingMode"]!).ShouldBe("PAY_PER_REQUEST");
        table["TimeToLiveSpecification"].ShouldBeNull("Spotter deletes what is old itself, with its pictures");
        ((bool)table["PointInTimeRecoverySpecification"]!["PointInTimeRecoveryEnabled"]!).ShouldBeTrue();
        ((bool)table["SSESpecification"]!["SSEEnabled"]!).ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(All))]
    public void There_is_a_queue_for_each_of_spotters_and_each_priority(string name)
    {
        var settings = Templates.SettingsOf(name);
        var expected =
            from queue in name == "options"
                ? (string[])["detect_starter", "tensor_starter", "classify_birds-2", "tensor_birds-2", "detect_starter_birds-2", "annotate", "filter"] : ["detect_starter", "tensor_starter", "annotate", "filter"]
            from priority in (string[])["high", "normal", "low"]
            select $"{settings.Name}-{queue}-{priority}";

        var queues = Templates.Resources(name, "AWS::SQS::Queue").Values.ToList();
        queues.Select(q => (string)q["QueueName"]!).ShouldBe([.. expected, $"{settings.Name}-dead", $"{settings.Name}-uploads"], ignoreOrder: true);
        var dead = queues.Single(q => (string)q["QueueName"]! == $"{settings.Name}-dead");
        ((int)dead["MessageRetentionPeriod"]!).ShouldBe(14 * 86400);
        foreach (var queue in queues.Where(q => q["RedrivePolicy"] is not null))
        {
            ((int)queue["MessageRetentionPeriod"]!).ShouldBe(4 * 86400);
            ((int)queue["VisibilityTimeout"]!).ShouldBe(60);
            ((int)queue["ReceiveMessageWaitTimeSeconds"]!).ShouldBe(20);
            ((int)queue["RedrivePolicy"]!["maxReceiveCount"]!).ShouldBe(5);
        }
        queues.ShouldAllBe(q => (bool)q["SqsManagedSseEnabled"]!);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Pictures_are_private_encrypted_and_deleted(string name)
    {
        var settings = Templates.SettingsOf(name);
        var buckets = Templates.Resources(name, "AWS::S3::Bucket").Values.ToList();
        buckets.Count.ShouldBe(settings.HasTwoBuckets ? 2 : 1);
        foreach (var bucket in buckets)
        {
            bucket["PublicAccessBlockConfiguration"]!.AsObject().Count(p => (bool)p.Value!).ShouldBe(4);
            bucket["BucketEncryption"]!.ToJsonString().ShouldContain("aws:kms");
            var rules = bucket["LifecycleConfiguration"]!["Rules"]!.AsArray();
            rules.Where(r => r!["ExpirationInDays"] is not null).Select(r => $"{r!["Prefix"]} {r["ExpirationInDays"]}")
                .ShouldBe([$"in/ {settings.KeepDays}", $"out/ {settings.KeepDays}", "uploads/ 2", "tickets/ 2"]);
            rules.Count(r => r!["AbortIncompleteMultipartUpload"] is not null).ShouldBe(1);
            (bucket["CorsConfiguration"] is not null).ShouldBe(settings.CorsOrigins.Count > 0);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_bucket_tells_one_queue_of_uploads_which_takes_it_from_this_account(string name)
    {
        var settings = Templates.SettingsOf(name);
        var (id, queue) = Templates.Resources(name, "AWS::SQS::Queue").Single(q => (string)q.Value["QueueName"]! == $"{settings.Name}-uploads");
        queue["RedrivePolicy"].ShouldBeNull("what comes again and again waits for a gateway that takes jobs");

        var told = Templates.Resources(name, "AWS::S3::Bucket").Values.Select(b => b["NotificationConfiguration"]).OfType<System.Text.Json.Nodes.JsonNode>()
            .ShouldHaveSingleItem()["QueueConfigurations"]!.AsArray().ShouldHaveSingleItem()!;

        ((string)told["Event"]!).ShouldBe("s3:ObjectCreated:*");
        ((string)told["Queue"]!["Fn::GetAtt"]![0]!).ShouldBe(id);
        told["Filter"]!["S3Key"]!["Rules"]!.AsArray().Select(r => $"{r!["Name"]}={r["Value"]}").ShouldBe(["prefix=uploads/"]);
        var allows = Templates.Resources(name, "AWS::SQS::QueuePolicy").Values.Where(p => (string?)p["Queues"]![0]!["Ref"] == id)
            .SelectMany(p => p["PolicyDocument"]!["Statement"]!.AsArray()).Single(s => (string)s!["Effect"]! == "Allow")!;
        $"{allows["Principal"]!["Service"]} {allows["Action"]}".ShouldBe("s3.amazonaws.com sqs:SendMessage");
        allows["Condition"]!["StringEquals"]!.AsObject().Select(c => c.Key).ShouldBe(["aws:SourceAccount"]);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Alarms_watch_every_queue_the_dead_letters_and_the_gateways(string name)
    {
        var settings = Templates.SettingsOf(name);
        var alarms = Templates.Resources(name, "AWS::CloudWatch::Alarm");

        // A model has its own queues and those of tensors, a pair of models its own.
        alarms.Count.ShouldBe(settings.Models.Sum(model => model.Count(c => c == '/') == 1 ? 2 : 1) + 2 + 3);
        alarms.Values.ShouldAllBe(a => a["AlarmActions"]!.AsArray().Count == 1);
        var watched = alarms.Values.SelectMany(a => a["Metrics"]?.AsArray() ?? [])
            .Select(m => m!["MetricStat"]?["Metric"]?["Dimensions"]?[0])
            .Where(d => (string?)d?["Name"] == "QueueName").Select(d => (string?)d!["Value"]!["Fn::GetAtt"]![0]);
        var queues = Templates.Resources(name, "AWS::SQS::Queue").Where(q => q.Value["RedrivePolicy"] is not null).Select(q => q.Key);
        watched.OfType<string>().ShouldBe(queues, ignoreOrder: true);
        Templates.Resources(name, "AWS::Logs::LogGroup").Values.ShouldAllBe(l => (int)l["RetentionInDays"]! == settings.LogDays);
        Templates.Resources(name, "AWS::Budgets::Budget").Count.ShouldBe(1);
        Templates.Resources(name, "AWS::CloudWatch::Dashboard").Count.ShouldBe(1);
    }

    [Fact]
    public void In_our_mode_nobody_but_spotter_sets_the_number_of_workers()
    {
        var group = WorkerGroup("ours");

        $"{group["MinSize"]} {group["MaxSize"]}".ShouldBe("0 4");
        group["DesiredCapacity"].ShouldBeNull("an update of the stack would set it back");
        ((bool)group["NewInstancesProtectedFromScaleIn"]!).ShouldBeTrue();
        Templates.Resources("ours", "AWS::AutoScaling::ScalingPolicy").ShouldBeEmpty();
        ((int)group["MixedInstancesPolicy"]!["InstancesDistribution"]!["OnDemandPercentageAboveBaseCapacity"]!).ShouldBe(0);
        group["MixedInstancesPolicy"]!["LaunchTemplate"]!["Overrides"]!.AsArray().Count.ShouldBe(4);
        ((int)WorkerGroup("options")["MixedInstancesPolicy"]!["InstancesDistribution"]!["OnDemandPercentageAboveBaseCapacity"]!).ShouldBe(100);
    }

    [Fact]
    public void Tracking_follows_the_backlog_per_worker()
    {
        var target = Templates.Resource("tracking", "AWS::AutoScaling::ScalingPolicy")["TargetTrackingConfiguration"]!;
        var metric = target["CustomizedMetricSpecification"]!;

        $"{metric["Namespace"]}/{metric["MetricName"]} {metric["Statistic"]} {target["TargetValue"]}".ShouldBe("Spotter/BacklogPerInstance Average 10");
        $"{metric["Dimensions"]![0]!["Name"]}={metric["Dimensions"]![0]!["Value"]}".ShouldBe("AutoScalingGroupName=spotter-workers");
        $"{WorkerGroup("tracking")["MinSize"]}".ShouldBe("0");
    }

    [Theory]
    [InlineData("ours", "serve", "POOLS__WORKERS__GROUP=spotter-workers POOLS__WORKERS__LANES=2 POOLS__WORKERS__LAUNCHER=autoscaling POOLS__WORKERS__LIFECYCLEHOOK=drain POOLS__WORKERS__MAX=4")]
    [InlineData("tracking", "gateway", "PUBLISH__DIMENSIONS=AutoScalingGroupName=spotter-workers PUBLISH__GROUP=spotter-workers PUBLISH__NAMESPACE=Spotter PUBLISH__TO=cloudwatch")]
    [InlineData("cpu", "gateway", "")]
    [InlineData("pool", "serve", "POOLS__WORKERS__LANES=2 POOLS__WORKERS__LAUNCHER=ec2 POOLS__WORKERS__MAX=4 POOLS__WORKERS__POOL=spotter POOLS__WORKERS__SUBNETS=, POOLS__WORKERS__TEMPLATE= POOLS__WORKERS__TYPES=c7i.large,c7a.large,c6i.large,c6a.large")]
    public void Gateways_are_told_what_the_mode_needs_of_them(string name, string command, string told)
    {
        var lines = Templates.UserData(name, "gateway").Split('\n');

        lines.ShouldContain($"command={command}");
        lines.Select(l => l.Replace("environment=", "", StringComparison.Ordinal).Trim('\''))
            .Where(l => l.StartsWith("SPOTTER__POOLS__", StringComparison.Ordinal) || l.StartsWith("SPOTTER__PUBLISH__", StringComparison.Ordinal))
            .Select(l => l["SPOTTER__".Length..]).Order(StringComparer.Ordinal).ShouldBe(told.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Templates.UserData(name, "worker").ShouldContain("\ncommand=worker\n");
        Templates.UserData(name, "worker").ShouldContain("\nSPOTTER__WORKER__MACHINE=ec2\n");
    }

    [Theory]
    [InlineData("ours", false, true)]
    [InlineData("options", false, true)]
    [InlineData("tracking", true, false)]
    [InlineData("cpu", true, false)]
    public void Machines_that_are_taken_away_are_replaced_by_whoever_scales(string name, bool byAmazon, bool hasHook)
    {
        var group = WorkerGroup(name);

        ((bool)group["CapacityRebalance"]!).ShouldBe(byAmazon);
        // Nobody would complete it where Spotter doesn't scale.
        var hook = group["LifecycleHookSpecificationList"]?.AsArray().ShouldHaveSingleItem()!;
        (hook is null ? "" : $"{hook["LifecycleHookName"]} {hook["LifecycleTransition"]} {hook["HeartbeatTimeout"]} {hook["DefaultResult"]}")
            .ShouldBe(hasHook ? "drain autoscaling:EC2_INSTANCE_TERMINATING 300 CONTINUE" : "");
    }

    [Fact]
    public void A_warm_pool_keeps_machines_stopped_that_were_started_to_the_end()
    {
        var group = WorkerGroup("warm");
        var pool = Templates.Resource("warm", "AWS::AutoScaling::WarmPool");

        $"{pool["PoolState"]} {pool["MinSize"]} {pool["MaxGroupPreparedCapacity"]}".ShouldBe("Stopped 2 2");
        group["MixedInstancesPolicy"].ShouldBeNull("EC2 keeps nothing warm of such a group");
        group["LaunchTemplate"]!["LaunchTemplateId"].ShouldNotBeNull();
        group["LifecycleHookSpecificationList"]!.AsArray().Select(h => $"{h!["LifecycleHookName"]} {h["LifecycleTransition"]} {h["DefaultResult"]}")
            .ShouldBe(["drain autoscaling:EC2_INSTANCE_TERMINATING CONTINUE", "ready autoscaling:EC2_INSTANCE_LAUNCHING ABANDON"]);
        Templates.UserData("warm", "worker").ShouldContain("\nready_hook=ready\n");
        Templates.UserData("warm", "gateway").ShouldContain("\nready_hook=\n");
        Templates.UserData("ours", "worker").ShouldContain("\nready_hook=\n");
        Templates.Resources("ours", "AWS::AutoScaling::WarmPool").ShouldBeEmpty();
    }

    [Fact]
    public void Workers_stay_with_the_gateway_that_they_have_joined()
    {
        var groups = Templates.Resources("ours", "AWS::ElasticLoadBalancingV2::TargetGroup");
        string Sticky(string id) => string.Join(' ', groups.Single(g => g.Key.StartsWith(id, StringComparison.Ordinal)).Value["TargetGroupAttributes"]!.AsArray()
            .Where(a => ((string)a!["Key"]!).StartsWith("stickiness", StringComparison.Ordinal)).Select(a => (string)a!["Value"]!));

        Sticky("LoadBalancersWorkers").ShouldBe("true lb_cookie");
        Sticky("LoadBalancersClients").ShouldBeEmpty();
    }

    [Fact]
    public void Cpu_follows_the_load_and_tells_of_each_launch()
    {
        var target = Templates.Resource("cpu", "AWS::AutoScaling::ScalingPolicy")["TargetTrackingConfiguration"]!;
        var group = WorkerGroup("cpu");

        $"{target["PredefinedMetricSpecification"]!["PredefinedMetricType"]} {target["TargetValue"]}".ShouldBe("ASGAverageCPUUtilization 50");
        $"{group["MinSize"]} {group["DesiredCapacity"]} {group["MaxSize"]}".ShouldBe("0 1 2");
        group["NotificationConfigurations"]![0]!["NotificationTypes"]!.AsArray().Count.ShouldBe(4);
    }

    [Fact]
    public void In_a_pool_there_is_only_a_template()
    {
        Templates.Resources("pool", "AWS::AutoScaling::AutoScalingGroup").Keys.ShouldBe(["GatewayGroup"]);
        Templates.Text("pool").ShouldContain("\"spotter:pool\"");
        // EC2 takes a subnet for a launch only where the template has no network interface.
        Templates.Resources("pool", "AWS::EC2::LaunchTemplate").Values.ShouldAllBe(t => t["LaunchTemplateData"]!["NetworkInterfaces"] == null);
        Templates.Read("pool")["Outputs"]!["WorkerGroup"].ShouldBeNull();
    }

    [Fact]
    public void Gateways_stand_in_two_zones_and_change_one_at_a_time()
    {
        var group = Templates.Resources("ours", "AWS::AutoScaling::AutoScalingGroup")["GatewayGroup"];
        var rolling = Templates.Read("ours")["Resources"]!["GatewayGroup"]!["UpdatePolicy"]!["AutoScalingRollingUpdate"]!;

        $"{group["MinSize"]} {group["MaxSize"]} {group["VPCZoneIdentifier"]!.AsArray().Count}".ShouldBe("2 2 2");
        $"{rolling["MinInstancesInService"]} {rolling["MaxBatchSize"]} {rolling["WaitOnResourceSignals"]}".ShouldBe("1 1 true");
        Templates.Resources("ours", "AWS::EC2::Subnet").Values.Select(s => s["AvailabilityZone"]!["Fn::Select"]![0]!.ToJsonString()).ShouldBe(["0", "1"]);
    }

    [Theory]
    [InlineData("ours", "0.0.0.0/0")]
    [InlineData("options", "149.154.160.0/20 91.108.4.0/22 203.0.113.0/24")]
    public void Only_these_networks_reach_the_load_balancer_and_only_by_https(string name, string networks)
    {
        var open = Templates.Resources(name, "AWS::EC2::SecurityGroup").Values
            .SelectMany(g => g["SecurityGroupIngress"]?.AsArray() ?? []).Where(r => r!["CidrIp"] is not null).ToList();

        open.Select(r => (string)r!["CidrIp"]!).ShouldBe(networks.Split(' '), ignoreOrder: true);
        open.ShouldAllBe(r => (int)r!["FromPort"]! == 443 && (int)r["ToPort"]! == 443);
        var https = Templates.Resources(name, "AWS::ElasticLoadBalancingV2::Listener").Values.Single(l => (string)l["Protocol"]! == "HTTPS");
        ((string)https["SslPolicy"]!).ShouldBe("ELBSecurityPolicy-TLS13-1-2-2021-06");
        https["Certificates"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public void Workers_in_a_private_network_have_no_way_out()
    {
        var routes = Templates.Resources("options", "AWS::EC2::Route");
        var isolated = Templates.Resources("options", "AWS::EC2::Subnet").Where(s => !(bool)s.Value["MapPublicIpOnLaunch"]!).Select(s => s.Key).ToList();

        isolated.Count.ShouldBe(2);
        WorkerGroup("options")["VPCZoneIdentifier"]!.AsArray().Select(s => (string)s!["Ref"]!).ShouldBe(isolated);
        routes.Keys.ShouldAllBe(r => r.Contains("Public", StringComparison.Ordinal));
        Templates.Resources("options", "AWS::EC2::NatGateway").ShouldBeEmpty();
        Templates.Resources("options", "AWS::EC2::VPCEndpoint").Values.ShouldAllBe(e => e["PolicyDocument"] != null);
        Templates.Text("options").ShouldNotContain("AssociatePublicIpAddress", Case.Sensitive, "the subnet says it");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Templates_hold_no_secret_and_stand_alone(string name)
    {
        Templates.Text(name).ShouldNotContain("\"SecretString\"", Case.Sensitive);
        Templates.Text(name).ShouldNotContain("cdk-bootstrap");
        Templates.Text(name).ShouldNotContain("AWS::Lambda");
        Templates.Text(name).Length.ShouldBeLessThan(1_000_000);
    }

    [Fact]
    public void All_names_begin_with_the_stacks()
    {
        var template = Synthesis.Template(SettingReader.Read(new Dictionary<string, string> { ["name"] = "shop" }));

        template.ShouldContain("\"shop-annotate-low\"");
        template.ShouldContain("\"shop-workers\"");
        template.ShouldNotContain("\"spotter-", Case.Sensitive);
        template.ShouldNotContain(":spotter-", Case.Sensitive);
        template.ShouldNotContain("secret:spotter/", Case.Sensitive);
    }

    private static JsonNode WorkerGroup(string name) =>
        Templates.Resources(name, "AWS::AutoScaling::AutoScalingGroup").Single(g => g.Key != "GatewayGroup").Value;

    private static string Keys(JsonNode table) => string.Join(", ", table["KeySchema"]!.AsArray().Select(k => $"{k!["AttributeName"]} {k["KeyType"]}"));
}
