namespace Spotter.Cli.Simulate;

/// <summary>
/// What a day on AWS costs besides the workers, in US dollars, at list prices of us-east-1 on demand, those of DynamoDB since November 2024
/// (aws.amazon.com/dynamodb/pricing, /sqs/pricing, /s3/pricing, /ec2/pricing, /elasticloadbalancing/pricing), without free tiers.
/// </summary>
internal sealed record AwsBill
{
    // What a job of one picture asks for; AwsCostTests counts all but the deletion, a row, a mark and a sign of its result.
    private const double WritesPerJob = 4.1 + 3;
    private const double ReadsPerJob = 10;
    private const double QueueRequestsPerJob = 1.4;
    private const double PutsPerJob = 1;
    private const double GetsPerJob = 1;

    private const double PerWrite = 0.625e-6;
    private const double PerRead = 0.125e-6;
    private const double PerQueueRequest = 0.40e-6;
    private const double PerPut = 5e-6;
    private const double PerGet = 0.4e-6;
    private const double PerGigabyteDay = 0.023 / 30;

    // t3.small, and what of its two processors a picture takes there; half of them is left for peaks.
    private const double GatewayHour = 0.0208;
    private const double GatewaySecondsPerJob = 0.006;
    private const double GatewayProcessors = 2 * 0.5;
    private const int FewestGateways = 2;

    // Two of them: clients come by one, workers by the other, and both carry the picture.
    private const double BalancerHour = 0.0225;
    private const double BalancerGigabyte = 0.008;

    // Each process asks this often while it has nothing to do.
    private const double IdleRequestsPerDay = 29 * 60 * 24;

    /// <summary>DynamoDB.</summary>
    public double Table { get; private init; }

    /// <summary>SQS.</summary>
    public double Queues { get; private init; }

    /// <summary>S3: requests, and pictures for a day.</summary>
    public double Pictures { get; private init; }

    /// <summary>Gateways, at least two.</summary>
    public double Gateways { get; private init; }

    /// <summary>Load balancers.</summary>
    public double Balancers { get; private init; }

    /// <summary>How many gateways.</summary>
    public int GatewayCount { get; private init; }

    /// <summary>All of it.</summary>
    public double Sum => Table + Queues + Pictures + Gateways + Balancers;

    /// <summary>The bill of a day.</summary>
    /// <param name="jobs">Jobs of one picture each.</param>
    /// <param name="perSecond">Jobs a second at the busiest time.</param>
    /// <param name="pictureBytes">The size of a picture.</param>
    public static AwsBill Of(double jobs, double perSecond, double pictureBytes)
    {
        var gateways = Math.Max(FewestGateways, (int)Math.Ceiling(perSecond * GatewaySecondsPerJob / GatewayProcessors));
        var gigabytes = jobs * pictureBytes / 1e9;
        return new()
        {
            Table = (jobs * ((WritesPerJob * PerWrite) + (ReadsPerJob * PerRead))) + (gateways * IdleRequestsPerDay * PerRead),
            Queues = jobs * QueueRequestsPerJob * PerQueueRequest,
            Pictures = (jobs * ((PutsPerJob * PerPut) + (GetsPerJob * PerGet))) + (gigabytes * PerGigabyteDay),
            Gateways = gateways * 24 * GatewayHour,
            Balancers = (2 * 24 * BalancerHour) + (2 * gigabytes * BalancerGigabyte),
            GatewayCount = gateways,
        };
    }
}
