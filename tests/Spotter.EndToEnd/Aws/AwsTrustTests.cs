using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service whose keys expire again and again, or whose clock is not Amazon's.</summary>
public sealed class AwsTrustTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [MotoFact]
    public async Task Keys_that_expire_are_renewed_before_anybody_notices()
    {
        await using var aws = await AwsServer.StartAsync();
        aws.Proxy.KeysHold = TimeSpan.FromSeconds(8);
        await using var service = await aws.ServeAsync("data", work: 5);
        using var api = new SpotterApi(service.Address);

        var (jobs, start) = (0, TimeProvider.System.GetTimestamp());
        // Longer than the first keys hold; what would fail is a request.
        while (TimeProvider.System.GetElapsedTime(start) < 2 * aws.Proxy.KeysHold)
        {
            SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png((byte)(jobs % 200), width: 64 + (jobs / 200)))).Json), Patience)).ShouldBe("succeeded");
            jobs++;
        }

        output.WriteLine($"{jobs} jobs, {aws.Proxy.KeysGiven} keys, {aws.Proxy.KeysRefused} requests refused");
        jobs.ShouldBePositive();
        aws.Proxy.KeysRefused.ShouldBe(0);
        service.Log.ShouldNotContain("secret-of");
        service.Log.ShouldNotContain("token-of");
    }

    [MotoFact]
    public async Task A_pod_gets_its_keys_for_a_token()
    {
        await using var aws = await AwsServer.StartAsync();
        await using (await aws.ServeAsync("data", work: 0))
        {
            var found = await aws.ExamineAsPodAsync("--aws-create");
            foreach (var name in (string[])["job store", "table rights", "pictures"])
                found[name].Health.ShouldBe("ok", found[name].Detail);
        }
        aws.Proxy.Calls.ShouldNotBeEmpty();
    }

    [MotoFact]
    public async Task A_clock_that_is_minutes_off_keeps_nothing_from_working_and_is_told_by_doctor()
    {
        await using var aws = await AwsServer.StartAsync();
        aws.Proxy.Ahead = TimeSpan.FromMinutes(17);
        await using var service = await aws.ServeAsync("data", work: 0);
        using var api = new SpotterApi(service.Address);

        for (var i = 0; i < 5; i++)
            SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png((byte)(100 + i)))).Json), Patience)).ShouldBe("succeeded");

        var (health, detail) = (await aws.ExamineAsync("--aws-create"))["clock"];
        health.ShouldBe("wrong");
        detail.ShouldMatch("^This machine's clock is 10[12][0-9] s behind Amazon's; set it, .*");
    }

    [MotoFact]
    public async Task Doctor_names_what_is_missing_and_what_may_not_be_done_and_changes_nothing()
    {
        await using var aws = await AwsServer.StartAsync();
        var found = await aws.ExamineAsync();
        found["job store"].ShouldBe(("wrong", "There is no DynamoDB table 'spotter' in eu-central-1; make it with deploy/aws/up, or correct --aws-table or --aws-region."));
        found["queues"].Detail.ShouldStartWith("There is no SQS queue 'spotter-annotate-high', ");
        found["pictures"].Health.ShouldBe("ok");
        (await aws.ExamineAsync("--aws-create"))["job store"].Health.ShouldBe("ok");
        aws.Proxy.Refuse = call => call.Service == "s3" ? new("NoSuchBucket", "The specified bucket does not exist", 404) : null;
        (await aws.ExamineAsync())["pictures"].ShouldBe(("wrong", $"The S3 server at {aws.Proxy.Address.ToString().TrimEnd('/')} has no bucket pictures; make it, or name another with --blobs."));
        aws.Proxy.Refuse = _ => null;

        await using (var service = await aws.ServeAsync("data", work: 0))
        {
            using var api = new SpotterApi(service.Address);
            SpotterApi.StateOf(await api.EndOfAsync(SpotterApi.IdOf((await api.SubmitAsync(Pictures.Png(90))).Json), Patience)).ShouldBe("succeeded");
            await service.TerminateAsync();
        }
        aws.Proxy.Clear();
        found = await aws.ExamineAsync("--aws-create");
        foreach (var name in (string[])["clock", "job store", "table rights", "queues", "pictures"])
            found[name].Health.ShouldBe("ok", found[name].Detail);
        // What is a write by its name was refused by its condition, or had nothing to delete.
        aws.Proxy.Calls.Select(c => c.Call).Where(c => c.IsWrite && c is not { Service: "dynamodb", Target: "doctor" or "" } && c.Operation is not ("ChangeMessageVisibility" or "DeleteMessage")).ShouldBeEmpty();

        aws.Proxy.Refuse = call => call.Operation is "UpdateItem" or "BatchGetItem" or "DeleteMessage"
            ? new("AccessDeniedException", $"User: arn:aws:iam::123456789012:user/u is not authorized to perform: dynamodb:{call.Operation} on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/spotter because no identity-based policy allows it")
            : null;
        found = await aws.ExamineAsync("--aws-create");
        found["table rights"].ShouldBe(("wrong", "The role or user may not use dynamodb:BatchGetItem, dynamodb:UpdateItem; add that to its policy (docs/aws.md has all)."));
        found.Single(f => f.Key.StartsWith("queue ", StringComparison.Ordinal)).Value.Detail.ShouldContain("sqs:DeleteMessage");

        aws.Proxy.Refuse = call => call.Service == "dynamodb"
            ? new("AccessDeniedException", "User: arn:aws:iam::123456789012:user/u is not authorized to perform: dynamodb:DescribeTable on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/spotter because")
            : null;
        (await aws.ExamineAsync())["job store"].Detail.ShouldBe(
            "The role or user lacks dynamodb:DescribeTable on arn:aws:dynamodb:eu-central-1:123456789012:table/spotter; add that to its policy (docs/aws.md has all).");
    }
}
