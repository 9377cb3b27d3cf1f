using System.Diagnostics;
using System.Globalization;
using Spotter.Cli.Models;
using Spotter.Cli.Serve;
using Spotter.Core;
using Spotter.EndToEnd.Harness;
using Spotter.Tests.Cli;
using Xunit.Abstractions;

namespace Spotter.Tests.Vision;

/// <summary>
/// Damaged models by the dozen (or as many as SPOTTER_TEST_HOSTILE_MODELS says), each inspected as <c>serve</c> does: in a
/// process of its own, which may die of it. What comes of it is a listing or one sentence, before long.
/// </summary>
public sealed class HostileModelTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int Rounds = Number("SPOTTER_TEST_HOSTILE_MODELS", otherwise: 40);

    private static readonly int Seed = Number("SPOTTER_SEED", otherwise: 1);

    private readonly Tests.TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public Task Mutated_models_are_listed_or_refused()
    {
        var patches = File.ReadAllBytes(PatchModel.Write(folder.File("patches.onnx")));
        var constant = TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2, (16, 16, 10, 10, 1, 0.75f))], [("names", "{0: 'a', 1: 'b'}"), ("task", "detect")]);
        return InspectMutantsAsync([patches, constant], Rounds);
    }

    [SharedFact]
    public Task Mutated_real_models_are_listed_or_refused() => InspectMutantsAsync(
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(SharedFiles.Model("x"))!, "*.onnx").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)], Rounds / 2);

    [Fact]
    public async Task Files_that_are_made_to_hurt_do_not()
    {
        var deep = new ProtoWriter();
        for (var i = 0; i < 5_000; i++)
            deep = new ProtoWriter().Message(7, deep);
        (string Name, byte[] Content)[] hostile =
        [
            ("nested", deep.ToArray()),
            ("huge-input", TestModels.Constant([1, 3, int.MaxValue, int.MaxValue], [TestModels.Columns(2)])),
            ("overflowing-input", TestModels.Constant([1, 3, 1L << 40, 1L << 40], [TestModels.Columns(2)])),
            ("negative-input", TestModels.Constant([1, 3, long.MinValue, 32], [TestModels.Columns(2)])),
            ("no-classes", TestModels.Constant([1, 3, 32, 32], [([1, 4, TestModels.Anchors32], new float[4 * TestModels.Anchors32])])),
            ("many-names", TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2)], [("names", "{" + string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"{i}:'x'")) + "}")])),
            ("lying-length", [.. TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2)]), 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
            ("endless-number", [0x08, .. Enumerable.Repeat((byte)0xFF, 1000)]),
            ("zeros", new byte[1 << 20]),
            ("external", External("/dev/zero")),
            ("external-outside", External("../../../../../../etc/passwd")),
        ];
        foreach (var (name, content) in hostile)
            await File.WriteAllBytesAsync(folder.File(name + ".onnx"), content);

        var listings = await new ModelInspection(isConfined: true, folder.File("data")).InspectAsync([.. hostile.Select(one => folder.File(one.Name + ".onnx"))], CancellationToken.None);

        for (var i = 0; i < hostile.Length; i++)
        {
            Judge(listings[i], hostile[i].Name);
            // Names that can't be true are passed over; the rest is beyond repair.
            if (hostile[i].Name != "many-names")
                listings[i].Model.ShouldBeNull(hostile[i].Name);
        }
    }

    [LinuxTheory]
    [InlineData("a pipe as the model", "not a file")]
    [InlineData("a device as the model", "not a file")]
    [InlineData("a pipe beside it", "not a file")]
    [InlineData("a device as labels", "no name within the model's own folder")]
    [InlineData("a pipe as weights", "not a file")]
    [InlineData("depth", "levels deep")]
    [InlineData("aliases", "anchors")]
    public async Task What_would_hold_up_an_inspection_is_refused_with_its_reason(string what, string reason)
    {
        var model = folder.File("m.onnx");
        var beside = folder.File("m.yaml");
        if (!what.EndsWith("as the model", StringComparison.Ordinal))
            await File.WriteAllBytesAsync(model, TestModels.Constant([1, 3, 32, 32], [TestModels.Columns(2)]));
        switch (what)
        {
            case "a pipe as the model":
                MakePipe(model);
                break;
            case "a device as the model":
                File.CreateSymbolicLink(model, "/dev/zero");
                break;
            case "a pipe beside it":
                MakePipe(beside);
                break;
            case "a device as labels":
                await File.WriteAllTextAsync(beside, "labels: /dev/zero");
                break;
            case "a pipe as weights":
                await File.WriteAllBytesAsync(model, TestGraph.Taking(1, 3, 32, 32).External("n", [1, 7, 21], "m.data").Node("Identity", ["n"], ["output0"]).Output("output0", TestGraph.Float32, 1, 7, 21).ToArray());
                MakePipe(folder.File("m.data"));
                break;
            case "depth":
                await File.WriteAllTextAsync(beside, "labels: " + new string('[', 200_000));
                break;
            default:
                // Each line stands for ten of the one before.
                await File.WriteAllTextAsync(beside, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
                    $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n")));
                break;
        }

        var listing = (await new ModelInspection(isConfined: true, folder.File("data")).InspectAsync([model], CancellationToken.None)).ShouldHaveSingleItem();

        Judge(listing, what);
        listing.Error!.Detail.ShouldContain(reason);
    }

    private static void MakePipe(string path)
    {
        using var made = Process.Start("mkfifo", path);
        made.WaitForExit();
        made.ExitCode.ShouldBe(0);
    }

    /// <summary>A model whose numbers lie in another file.</summary>
    private static byte[] External(string place)
    {
        static ProtoWriter Entry(string key, string value) => new ProtoWriter().Text(1, key).Text(2, value);
        var tensor = new ProtoWriter().Number(1, 1).Number(1, 6).Number(1, 21).Number(2, 1).Text(8, "numbers")
            .Message(13, Entry("location", place)).Message(13, Entry("length", "504")).Number(14, 1);
        static ProtoWriter Port(string name, params int[] shape)
        {
            var dimensions = new ProtoWriter();
            foreach (var edge in shape)
                dimensions.Message(1, new ProtoWriter().Number(1, edge));
            return new ProtoWriter().Text(1, name).Message(2, new ProtoWriter().Message(1, new ProtoWriter().Number(1, 1).Message(2, dimensions)));
        }
        var graph = new ProtoWriter()
            .Message(1, new ProtoWriter().Text(1, "numbers").Text(2, "output0").Text(4, "Identity"))
            .Text(2, "external").Message(5, tensor).Message(11, Port("images", 1, 3, 32, 32)).Message(12, Port("output0", 1, 6, 21));
        return new ProtoWriter().Number(1, 8).Message(7, graph).Message(8, new ProtoWriter().Text(1, "").Number(2, 13)).ToArray();
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private async Task InspectMutantsAsync(IReadOnlyList<byte[]> originals, int rounds)
    {
        output.WriteLine($"SPOTTER_SEED={Seed}");
        int usable = 0, died = 0;
        const int Batch = 20;
        for (var first = 0; first < rounds; first += Batch)
        {
            List<string> files = [];
            for (var round = first; round < Math.Min(rounds, first + Batch); round++)
            {
                var mutator = new ModelMutator(RandomSource.Seeded((Seed * 1_000_003) + round));
                files.Add(folder.File($"round-{round}.onnx"));
                await File.WriteAllBytesAsync(files[^1], mutator.Mutate(originals[round % originals.Count]));
            }
            foreach (var listing in await new ModelInspection(isConfined: true, folder.File("data")).InspectAsync(files, CancellationToken.None))
            {
                Judge(listing, $"SPOTTER_SEED={Seed}, {Path.GetFileName(listing.File)}");
                usable += listing.Model is null ? 0 : 1;
                if (listing.Model is not null)
                    await RunAsync(listing.File);
                died += listing.Error?.Detail.Contains("ended with status", StringComparison.Ordinal) == true ? 1 : 0;
            }
            files.ForEach(File.Delete);
        }
        output.WriteLine($"{rounds} models: {usable} usable, {rounds - usable} refused, of which {died} brought down their inspection");
    }

    /// <summary>What passed for a model is one: it gives a result, or one sentence says why it can't.</summary>
    private async Task RunAsync(string model)
    {
        var picture = folder.File("picture.png");
        if (!File.Exists(picture))
            await File.WriteAllBytesAsync(picture, TestPictures.Png(64, 48));
        var ran = await SpotterProgram.RunAsync("detect", picture, "--model", model);
        var which = $"SPOTTER_SEED={Seed}, {Path.GetFileName(model)}, {ran}";
        ran.Status.ShouldBeOneOf([0, 1], which);
        ran.ErrorLines().Count.ShouldBe(ran.Status, which);
        ran.ErrorLines().ShouldAllBe(line => line.StartsWith("spotter: ") && !line.Contains("unexpected fault") && !line.Contains("internal_error"), which);
    }

    private static void Judge(ModelListing listing, string which)
    {
        if (listing.Model is { } model)
        {
            model.Labels.ShouldNotBeEmpty(which);
            return;
        }
        var error = listing.Error.ShouldNotBeNull(which);
        (error.Code is ErrorCodes.ModelInvalid or ErrorCodes.ModelUnsupported or ErrorCodes.ModelOutputInvalid).ShouldBeTrue($"{which}: {error}");
        error.Detail.ShouldEndWith(".", Case.Sensitive, which);
        error.Detail.ShouldNotContain("\n", Case.Sensitive, which);
        error.Detail.Length.ShouldBeLessThan(2000, which);
        error.Detail.ShouldNotContain("took longer than", Case.Sensitive, which);
    }
}
