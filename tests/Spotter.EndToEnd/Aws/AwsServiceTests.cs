using System.Net;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>Two services on one DynamoDB table, SQS queues and S3 bucket, as moto plays them.</summary>
public sealed class AwsServiceTests(ITestOutputHelper output)
{
    private const int Jobs = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly Dictionary<string, string> Surroundings = new(MotoServer.Credentials, StringComparer.Ordinal)
    {
        ["AWS_REGION"] = "eu-central-1",
        ["SPOTTER__WORKER__TOKEN"] = "0123456789abcdef0123456789abcdef",
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "4",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "1",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
    };

    [MotoFact]
    public async Task What_one_accepts_the_other_answers_also_when_the_first_is_killed()
    {
        using var folder = new TemporaryFolder();
        await using var moto = await MotoServer.StartAsync();
        await moto.MakeBucketAsync("pictures");
        var model = PatchModel.Write(folder.File("patches.onnx"), work: 20);
        string[] options =
        [
            "--backend", "aws", "--aws-create", "--aws-endpoint", moto.Address.ToString(), "--blobs", "s3://pictures", "--s3-endpoint", moto.Address.ToString(),
            "--max-workers", "1", "--lanes", "2",
        ];
        await using var first = await SpotterProcess.StartAsync(folder.File("first"), model, options, Surroundings);
        await using var second = await SpotterProcess.StartAsync(folder.File("second"), model, options, Surroundings);
        try
        {
            using var here = new SpotterApi(first.Address);
            using var there = new SpotterApi(second.Address);
            var ids = new List<string>();
            for (var i = 0; i < Jobs; i++)
            {
                var answer = await (i % 2 == 0 ? here : there).SubmitAsync(Pictures.Png((byte)(100 + i)));
                answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
                ids.Add(SpotterApi.IdOf(answer.Json));
            }
            SpotterApi.StateOf(await there.EndOfAsync(ids[0], Patience)).ShouldBe("succeeded", "it was sent to the other one");

            await first.KillAsync();

            foreach (var id in ids)
                SpotterApi.StateOf(await there.EndOfAsync(id, Patience)).ShouldBe("succeeded");
            (await there.ListAsync()).Count.ShouldBe(Jobs, "none came twice");
            (await second.TerminateAsync()).ShouldBe(0, second.Log);
        }
        finally
        {
            output.WriteLine(second.Log);
        }
        (first.Log + second.Log).ShouldNotContain("testing", Case.Insensitive, "the secret key");
    }
}
