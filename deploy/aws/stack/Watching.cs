using Amazon.CDK;
using Amazon.CDK.AWS.Budgets;
using Amazon.CDK.AWS.CloudWatch;
using Amazon.CDK.AWS.CloudWatch.Actions;
using Amazon.CDK.AWS.IAM;
using Amazon.CDK.AWS.SNS;
using Constructs;
using CfnTopicSubscription = Amazon.CDK.AWS.SNS.CfnSubscription;

namespace Spotter.Cloud;

/// <summary>The topic of all that somebody should know of: alarms, launches, the budget.</summary>
internal sealed class Notices : Construct
{
    public Notices(Construct scope, StackSettings settings)
        : base(scope, "Notices")
    {
        // Not encrypted with AWS's own key: alarms and budgets could not publish then. It carries no pictures and no results.
        Topic = new Topic(this, "Topic", new TopicProps { TopicName = $"{settings.Name}-notices" });
        Topic.AddToResourcePolicy(TlsOnly.Statement("sns:Publish", Topic.TopicArn));
        foreach (var (sid, service) in new[] { ("Alarms", "cloudwatch.amazonaws.com"), ("Budget", "budgets.amazonaws.com") })
        {
            Topic.AddToResourcePolicy(new PolicyStatement(new PolicyStatementProps
            {
                Sid = sid,
                Principals = [new ServicePrincipal(service)],
                Actions = ["sns:Publish"],
                Resources = [Topic.TopicArn],
                Conditions = new Dictionary<string, object> { ["StringEquals"] = new Dictionary<string, object> { ["aws:SourceAccount"] = Aws.ACCOUNT_ID } },
            }));
        }
        if (settings.Email.Length > 0)
            _ = new CfnTopicSubscription(this, "Email", new CfnSubscriptionProps { TopicArn = Topic.TopicArn, Protocol = "email", Endpoint = settings.Email });
    }

    public Topic Topic { get; }
}

/// <summary>Alarms, a dashboard and a budget.</summary>
internal sealed class Watching : Construct
{
    private readonly SnsAction tell;

    public Watching(Construct scope, StackSettings settings, Queues queues, LoadBalancers balancers, Notices notices)
        : base(scope, "Watching")
    {
        tell = new SnsAction(notices.Topic);
        var ages = queues.ByName.ToDictionary(q => q.Key, q => OldestAge(q.Key, q.Value), StringComparer.Ordinal);
        foreach (var (name, age) in ages)
        {
            Alarm($"Age-{name.Replace('/', '-')}", $"The oldest job of {name} has waited longer than {settings.MaxAgeSeconds} s: are there workers?", age, settings.MaxAgeSeconds, 3);
        }
        var dead = queues.Dead.MetricApproximateNumberOfMessagesVisible(Every(1, "Maximum"));
        Alarm("Dead", "There are ids in the dead-letter queue: spotter queue dead", dead, 1, 1);
        var errors = new MathExpression(new MathExpressionProps
        {
            Expression = "FILL(gateways, 0) + FILL(balancer, 0)", Label = "5xx", Period = Duration.Minutes(1),
            UsingMetrics = new Dictionary<string, IMetric>
            {
                ["gateways"] = Balancer("HTTPCode_Target_5XX_Count", "Sum", balancers),
                ["balancer"] = Balancer("HTTPCode_ELB_5XX_Count", "Sum", balancers),
            },
        });
        Alarm("Errors", "More than 5 answers a minute are 5xx", errors, 5, 5);
        var ill = new Metric(new MetricProps
        {
            Namespace = "AWS/ApplicationELB", MetricName = "UnHealthyHostCount", Statistic = "Maximum", Period = Duration.Minutes(1),
            DimensionsMap = new Dictionary<string, string> { ["LoadBalancer"] = balancers.Public.AttrLoadBalancerFullName, ["TargetGroup"] = balancers.Clients.AttrTargetGroupFullName },
        });
        Alarm("IllGateways", "A gateway does not answer", ill, 1, 5);
        AddDashboard(settings, queues, balancers, ages.Values, dead);
        AddBudget(settings, notices);
    }

    private void Alarm(string id, string description, IMetric metric, double threshold, int minutes) => new Alarm(this, id, new AlarmProps
    {
        Metric = metric, Threshold = threshold, EvaluationPeriods = minutes, AlarmDescription = description,
        ComparisonOperator = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, TreatMissingData = TreatMissingData.NOT_BREACHING,
    }).AddAlarmAction(tell);

    private static MathExpression OldestAge(string name, IReadOnlyList<Amazon.CDK.AWS.SQS.Queue> queues)
    {
        // Ids of metrics differ within a graph.
        var ids = Queues.Priorities.Select(priority => $"q_{name.Replace('/', '_').Replace('-', '_')}_{priority}").ToList();
        return new MathExpression(new MathExpressionProps
        {
            Expression = $"MAX([{string.Join(", ", ids)}])", Label = name, Period = Duration.Minutes(1),
            UsingMetrics = queues.Zip(ids).ToDictionary(
                q => q.Second, q => (IMetric)q.First.MetricApproximateAgeOfOldestMessage(Every(1, "Maximum")), StringComparer.Ordinal),
        });
    }

    private void AddDashboard(StackSettings settings, Queues queues, LoadBalancers balancers, IEnumerable<IMetric> ages, IMetric dead)
    {
        var waiting = queues.ByName.SelectMany(q => q.Value).Select(q => (IMetric)q.MetricApproximateNumberOfMessagesVisible(Every(1, "Maximum"))).ToArray();
        var dashboard = new Dashboard(this, "Dashboard", new DashboardProps { DashboardName = settings.Name });
        dashboard.AddWidgets(Graph("Jobs waiting", waiting), Graph("Oldest job, s", [.. ages]), Graph("Dead letters", dead));
        dashboard.AddWidgets(
            Graph("Requests and 5xx a minute", Balancer("RequestCount", "Sum", balancers), Balancer("HTTPCode_Target_5XX_Count", "Sum", balancers)),
            Graph("Time to answer, s", Balancer("TargetResponseTime", "p50", balancers), Balancer("TargetResponseTime", "p99", balancers)),
            settings.Scaling == ScalingMode.Pool
                ? Graph("Table units a minute", Jobs(settings, "ConsumedReadCapacityUnits"), Jobs(settings, "ConsumedWriteCapacityUnits"))
                : Graph("Workers", Group(settings, "GroupDesiredCapacity"), Group(settings, "GroupInServiceInstances"), Cpu(settings)));
    }

    private void AddBudget(StackSettings settings, Notices notices) => _ = new CfnBudget(this, "Budget", new CfnBudgetProps
    {
        // The whole account's: costs by tag are there only once somebody has activated the tag, and would be 0 until then.
        Budget = new CfnBudget.BudgetDataProperty
        {
            BudgetName = $"{settings.Name}-month", BudgetType = "COST", TimeUnit = "MONTHLY",
            BudgetLimit = new CfnBudget.SpendProperty { Amount = settings.BudgetUsd, Unit = "USD" },
        },
        NotificationsWithSubscribers = new[] { ("ACTUAL", 80), ("FORECASTED", 100) }.Select(n => new CfnBudget.NotificationWithSubscribersProperty
        {
            Notification = new CfnBudget.NotificationProperty { NotificationType = n.Item1, ComparisonOperator = "GREATER_THAN", Threshold = n.Item2, ThresholdType = "PERCENTAGE" },
            Subscribers = new[] { new CfnBudget.SubscriberProperty { SubscriptionType = "SNS", Address = notices.Topic.TopicArn } },
        }).ToArray(),
    });

    private static GraphWidget Graph(string title, params IMetric[] metrics) => new(new GraphWidgetProps { Title = title, Left = metrics, Width = 8 });

    private static Metric Balancer(string name, string statistic, LoadBalancers balancers) => new(new MetricProps
    {
        Namespace = "AWS/ApplicationELB", MetricName = name, Statistic = statistic, Period = Duration.Minutes(1),
        DimensionsMap = new Dictionary<string, string> { ["LoadBalancer"] = balancers.Public.AttrLoadBalancerFullName },
    });

    private static Metric Group(StackSettings settings, string name) => Of("AWS/AutoScaling", name, "AutoScalingGroupName", Workers.GroupName(settings));

    private static Metric Cpu(StackSettings settings) => Of("AWS/EC2", "CPUUtilization", "AutoScalingGroupName", Workers.GroupName(settings));

    private static Metric Jobs(StackSettings settings, string name) => Of("AWS/DynamoDB", name, "TableName", settings.Name);

    private static Metric Of(string space, string name, string dimension, string value) => new(new MetricProps
    {
        Namespace = space, MetricName = name, Statistic = "Average", Period = Duration.Minutes(1), DimensionsMap = new Dictionary<string, string> { [dimension] = value },
    });

    private static MetricOptions Every(int minutes, string statistic) => new() { Period = Duration.Minutes(minutes), Statistic = statistic };
}
