using System.Diagnostics;
using System.Text;

namespace Spotter.Attack;

/// <summary>Files in the models folder that are no models, or lead elsewhere.</summary>
public sealed class ModelFileTests
{
    private const string Canary = "canary-beside-the-models-4711";
    // A folder, and links to nothing: they are passed over.
    private static readonly string[] NoFiles = ["folder", "nowhere", "self"];

    private const int BeforeTheStart = 8;
    private const long MostMemory = 400L * 1024 * 1024;

    [LinuxFact]
    public async Task A_file_beside_a_model_names_no_other_file()
    {
        var row = new AttackRow("A11", "`labels` that name files elsewhere", "models");
        using var folder = new TemporaryFolder();
        var models = Directory.CreateDirectory(folder.File("data/models")).FullName;
        await File.WriteAllTextAsync(folder.File("outside.txt"), $"{Canary}\n{Canary}-2\n");
        await File.WriteAllTextAsync(folder.File("data/inside.txt"), $"{Canary}\n{Canary}-2\n");
        Directory.CreateDirectory(Path.Combine(models, "folder.txt"));
        File.CreateSymbolicLink(Path.Combine(models, "link.txt"), folder.File("outside.txt"));
        File.CreateSymbolicLink(Path.Combine(models, "passwd.txt"), "/etc/passwd");
        File.CreateSymbolicLink(Path.Combine(models, "zero.txt"), "/dev/zero");
        await File.WriteAllTextAsync(Path.Combine(models, "long.txt"), string.Concat(Enumerable.Repeat(Canary + "\n", 40_000)));
        Pipe(Path.Combine(models, "pipe.txt"));
        string[] named =
        [
            "/etc/passwd", "/etc/shadow", "/proc/self/environ", "/dev/zero", "/dev/stdin", folder.File("outside.txt"), "../inside.txt", "../../outside.txt", "./../inside.txt", "folder.txt", "link.txt", "passwd.txt", "zero.txt", "long.txt", "pipe.txt",
            "..", ".", "\"\"", "\"\\0\"", "\"passwd.txt\\0.txt\"", "file:///etc/passwd", "~/.bashrc", "'$HOME/.bashrc'", "..\\inside.txt", "not-there.txt", "../keys.json", "../webhook.key", "'http://169.254.169.254/'", "!!python/object/apply:os.system [id]", "{ $ref: /etc/passwd }", "!include /etc/passwd",
        ];
        await JudgeAsync(row, folder, [.. named.Index().Select(n => ($"bad-{n.Index:00}", (Action<string>)(stem =>
        {
            PatchModel.Write(stem + ".onnx");
            File.WriteAllText(stem + ".yaml", $"labels: {n.Item}\n");
        })))]);
        row.End(atLeast: 60);
    }

    [LinuxFact]
    public async Task A_file_that_is_made_to_hurt_hurts_nobody()
    {
        var row = new AttackRow("A12", "hostile model files and files beside them", "models");
        using var folder = new TemporaryFolder();
        var good = await File.ReadAllBytesAsync(PatchModel.Write(folder.File("good.onnx")));
        var deep = new ProtoWriter();
        for (var i = 0; i < 5_000; i++)
            deep = new ProtoWriter().Message(7, deep);
        var aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n")) + "labels: *a9\n";
        var random = Spotter.Core.RandomSource.Seeded(1);
        var garbage = new byte[300_000];
        random.Fill(garbage);
        List<(string, Action<string>)> files =
        [
            ("aliases", Beside(aliases)), ("brackets", Beside("labels: " + new string('[', 200_000))),
            ("pipe-beside", stem => { PatchModel.Write(stem + ".onnx"); Pipe(stem + ".yaml"); }), ("zero-beside", stem => { PatchModel.Write(stem + ".onnx"); File.CreateSymbolicLink(stem + ".yaml", "/dev/zero"); }), ("pipe", stem => Pipe(stem + ".onnx")), ("zero", stem => File.CreateSymbolicLink(stem + ".onnx", "/dev/zero")), ("nested", Model(deep.ToArray())), ("garbage", Model(garbage)),
            ("merge", Beside("a: &a { b: 1 }\nlabels: { <<: *a }\n")), ("braces", Beside("labels: " + new string('{', 200_000))), ("dashes", Beside(string.Concat(Enumerable.Repeat("- ", 200_000)))),
            ("indented", Beside(string.Concat(Enumerable.Range(0, 3_000).Select(i => new string(' ', i) + "a:\n")))), ("huge-text", Beside("labels: " + new string('x', 20_000_000))), ("many", Beside("labels: [" + string.Join(',', Enumerable.Repeat("x", 300_000)) + "]")),
            ("random", stem => File.CreateSymbolicLink(stem + ".onnx", "/dev/urandom")), ("folder", stem => Directory.CreateDirectory(stem + ".onnx")), ("nowhere", stem => File.CreateSymbolicLink(stem + ".onnx", "/nowhere/at-all.onnx")),
            ("self", stem => File.CreateSymbolicLink(stem + ".onnx", stem + ".onnx")), ("empty", Model([])), ("text", Model("this is a text"u8.ToArray())), ("zeros", Model(new byte[1 << 20])), ("doubled", Model([.. good, .. good[..(good.Length / 2)]])),
            ("lying", Model([.. good, 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])), ("number", Model([0x08, .. Enumerable.Repeat((byte)0xFF, 1000)])), ("turned", Model([.. good[(good.Length / 2)..], .. good[..(good.Length / 2)]])),
            .. Enumerable.Range(1, 9).Select(tenth => ($"cut-{tenth}", Model(good[..(good.Length * tenth / 10)]))),
        ];
        await JudgeAsync(row, folder, files);
        row.End(atLeast: 70);
    }

    /// <summary>Puts files into the models folder, some before the start and the others while it runs: each is refused, and a good one is served.</summary>
    private static async Task JudgeAsync(AttackRow row, TemporaryFolder folder, IReadOnlyList<(string Name, Action<string> Make)> files)
    {
        var models = Directory.CreateDirectory(folder.File("data/models")).FullName;
        PatchModel.Write(Path.Combine(models, "patches.onnx"));
        foreach (var (name, make) in files.Take(BeforeTheStart))
            make(Path.Combine(models, name));
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), model: null, ["--max-workers", "1", "--lanes", "1"]);
        using var api = new SpotterApi(service.Address);
        foreach (var (name, make) in files.Skip(BeforeTheStart))
            make(Path.Combine(models, name));
        // What is changed last is looked at last, or with the others.
        PatchModel.Write(Path.Combine(models, "z-last.onnx"));
        await Eventually.SeeAsync("all are looked at", async () => (await api.GetAsync("/v1/models")).Text, text => text.Contains("\"z-last\"", StringComparison.Ordinal), TimeSpan.FromMinutes(3));
        await Eventually.SeeAsync("each is judged", () => Task.FromResult(string.Join(' ', files.Select(f => f.Name).Where(name => !IsNamed(name)))), left => left.Length == 0, TimeSpan.FromMinutes(1));
        var shown = await api.GetAsync("/v1/models");
        var served = shown.Json.GetProperty("models").EnumerateArray().Where(m => m.GetProperty("state").GetString() != "refused").Select(m => m.GetProperty("id").GetString()).ToList();
        foreach (var (name, _) in files)
        {
            row.Try(!served.Contains(name, StringComparer.Ordinal), $"{name} is served");
            row.Try(IsNamed(name), $"{name} is refused without a word");
        }
        foreach (var job in (string[])["patches", "z-last"])
            row.Try(SpotterApi.StateOf(await api.RunAsync(Pictures.Png(200), Part.Field("model", job))) == "succeeded", $"{job} is not served any more");
        row.Try(!shown.Text.Contains(Canary, StringComparison.Ordinal) && !shown.Text.Contains("root:", StringComparison.Ordinal) && !service.Log.Contains(Canary, StringComparison.Ordinal) && !service.Log.Contains("root:", StringComparison.Ordinal), "what a file elsewhere says is shown");
        row.Try(!service.Log.Contains("took longer than", StringComparison.Ordinal), "an inspection was held up");
        var memory = Processes.MostMemoryOf(service.Id);
        row.Try(memory < MostMemory, $"the gateway took {memory >> 20} MiB");
        // The next start waits for none of them either.
        (await service.TerminateAsync()).ShouldBe(0);

        bool IsNamed(string name) => NoFiles.Contains(name, StringComparer.Ordinal) || service.Log.Split('\n').Any(line => line.Contains(name + ".", StringComparison.Ordinal));
    }

    private static Action<string> Model(byte[] content) => stem => File.WriteAllBytes(stem + ".onnx", content);

    private static Action<string> Beside(string yaml) => stem =>
    {
        // First what is beside it, or it might be looked at without.
        File.WriteAllText(stem + ".yaml", yaml, new UTF8Encoding(false));
        PatchModel.Write(stem + ".onnx");
    };

    private static void Pipe(string path)
    {
        using var made = Process.Start("mkfifo", path);
        made.WaitForExit();
        made.ExitCode.ShouldBe(0);
    }
}
