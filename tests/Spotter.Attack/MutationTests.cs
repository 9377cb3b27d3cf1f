using System.Globalization;
using Spotter.Core;
using Spotter.Tests.Vision;
using Xunit.Abstractions;

namespace Spotter.Attack;

/// <summary>Small pictures, damaged by the hundred: each ends as a result or as a refusal, and harms no other.</summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const long MostMemory = 400L * 1024 * 1024;

    // A picture of these takes milliseconds.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(15);

    // A lossless WebP of one white pixel; the other kinds are drawn by the test itself.
    private static readonly byte[] WebP = Convert.FromBase64String("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==");

    private static readonly int Rounds = Number("SPOTTER_TEST_ATTACK_PICTURES", otherwise: 1600);

    private static readonly int Seed = Number("SPOTTER_SEED", otherwise: 1);

    [StraceFact]
    public async Task Mutated_pictures_end_and_harm_no_other()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace");
        await using var service = await SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--min-workers", "1", "--max-workers", "1", "--lanes", "2"], trace: trace);
        using var api = new SpotterApi(service.Address);
        var row = new AttackRow("M01", $"mutated pictures, SPOTTER_SEED={Seed}", "pictures");
        var neighbours = new AttackRow("M02", "whole pictures between mutated ones", "pictures");
        byte[][] originals =
        [
            Pictures.Jpeg(120, 48, 32), Pictures.Jpeg(90, 24, 24, components: 3), Pictures.Jpeg(60, 32, 32, components: 4), Pictures.Jpeg(80, 32, 24, exif: Pictures.Exif(6, "maker")),
            Pictures.Png(120, 32, 32), Pictures.Png(60, 32, 24, channels: 4), Pictures.Gif(16, 16, 120), Pictures.Gif(16, 16, 120, 40, 80), WebP,
        ];
        await api.RunAsync(Pictures.Png(99));
        var worker = service.Workers().ShouldHaveSingleItem();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int round; (round = Interlocked.Increment(ref next)) < Rounds;)
            {
                var mutant = PictureMutator.Mutate(originals[round % originals.Length], RandomSource.Seeded((Seed * 1_000_003) + round));
                var answer = await row.TimeAsync(() => api.SubmitAsync([Part.Field("annotate", round % 2 == 0 ? "true" : "false"), Part.Image(mutant)], waitSeconds: 60));
                var isRefused = (int)answer.Status is >= 400 and < 500;
                row.Try(isRefused || SpotterApi.StateOf(answer.Json) == "succeeded" || (SpotterApi.StateOf(answer.Json) == "failed" && answer.Json.GetProperty("attempts").GetInt32() == 1),
                    string.Create(CultureInfo.InvariantCulture, $"round {round}: {answer}"));
                if (round % 20 == 0)
                {
                    var whole = await api.RunAsync(Pictures.Png((byte)(round % 200)));
                    neighbours.Try(SpotterApi.StateOf(whole) == "succeeded" && whole.GetProperty("attempts").GetInt32() == 1, whole.GetRawText());
                }
            }
        })));
        neighbours.Try(service.Workers().SequenceEqual([worker]), "the worker died");
        var memory = Processes.MostMemoryOf(service.Id);
        neighbours.Try(memory < MostMemory, $"the gateway took {memory >> 20} MiB");
        neighbours.Try(row.Times.Percentile(100) < Hang, $"one hung: {row.Times}");
        output.WriteLine($"SPOTTER_SEED={Seed}, {Rounds} mutated pictures: {row.Times}");
        (await service.TerminateAsync()).ShouldBe(0);
        row.End(atLeast: Rounds);
        neighbours.End();
        var connects = new AttackRow("M03", "what a service sends that runs mutated pictures", "connections");
        await Connections.JudgeAsync(connects, service, trace);
        connects.End();
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
