using Amazon.CDK;
using Amazon.CDK.AWS.SQS;
using Constructs;

namespace Spotter.Cloud;

/// <summary>The queues that deliver jobs' ids, one for each of Spotter's queues and priorities, and the dead-letter queue of all.</summary>
internal sealed class Queues : Construct
{
    /// <summary>The priorities, the most urgent first.</summary>
    public static IReadOnlyList<string> Priorities { get; } = ["high", "normal", "low"];

    /// <summary>Engines whose jobs need no model.</summary>
    private static readonly string[] WithoutModel = ["annotate", "filter"];

    public Queues(Construct scope, StackSettings settings)
        : base(scope, "Queues")
    {
        Dead = new Queue(this, "Dead", new QueueProps
        {
            QueueName = $"{settings.Name}-dead",
            RetentionPeriod = Duration.Days(14),
            Encryption = QueueEncryption.SQS_MANAGED,
            RemovalPolicy = RemovalPolicy.DESTROY,
        });
        Protect(Dead);
        var names = new Dictionary<string, IReadOnlyList<Queue>>(StringComparer.Ordinal);
        foreach (var name in NamesOf(settings))
            names[name] = [.. Priorities.Select(priority => Make(settings.Name, name, priority))];
        ByName = names;
    }

    public Queue Dead { get; }

    /// <summary>The queues of each of Spotter's, in the order of <see cref="Priorities"/>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Queue>> ByName { get; }

    /// <summary>Spotter's queues that are there from the start.</summary>
    public static IEnumerable<string> NamesOf(StackSettings settings) =>
        // A model's own, of the task that it is for, and that of tensors, which takes any model; a pair's own.
        [.. settings.Models.SelectMany(model => model.Split('/') is [_, var name] ? new[] { model, $"tensor/{name}" } : [model]), .. WithoutModel];

    /// <summary>True for a model whose queues' names SQS would not take. Spotter shortens those, which nobody could guess here.</summary>
    public static bool IsTooLong(string prefix, string model) => Priorities.Any(priority => NameOf(prefix, model, priority).Length > 80);

    private static string NameOf(string prefix, string name, string priority) => $"{prefix}-{name.Replace('/', '_')}-{priority}";

    private Queue Make(string prefix, string name, string priority)
    {
        var queue = new Queue(this, $"{name.Replace('/', '-')}-{priority}", new QueueProps
        {
            QueueName = NameOf(prefix, name, priority),
            RetentionPeriod = Duration.Days(4),
            VisibilityTimeout = Duration.Seconds(60),
            ReceiveMessageWaitTime = Duration.Seconds(20),
            DeadLetterQueue = new DeadLetterQueue { Queue = Dead, MaxReceiveCount = 5 },
            Encryption = QueueEncryption.SQS_MANAGED,
            RemovalPolicy = RemovalPolicy.DESTROY,
        });
        Protect(queue);
        return queue;
    }

    private static void Protect(Queue queue) => queue.AddToResourcePolicy(TlsOnly.Statement("sqs:*", queue.QueueArn));
}
