using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Spotter.Core.Confinement;

namespace Spotter.Attack;

/// <summary>What code in a picture or a model can do, once it has taken over the process that reads it.</summary>
[SupportedOSPlatform("linux")]
public sealed class ConfinementTests
{
    private const string Secret = "a-secret-that-nobody-may-see-0123456789";

    // Their values are the service's own or say how to run; whatever else is in an environment is nobody's business.
    private static readonly string[] Harmless =
        ["PATH", "LANG", "LANGUAGE", "TZ", "TERM", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "SSL_CERT_DIR", "LC_", "DOTNET_", "OMP_", "MALLOC_", "GLIBC_", "ORT_DISABLE_TELEMETRY", "SPOTTER_FAILPOINT", "SPOTTER_SANDBOX_FILTER", "SPOTTER_STAGE_BOARD", "SPOTTER__WORKER__", "SPOTTER__LOG__", "SPOTTER_ONNXRUNTIME", "SPOTTER_LIBVIPS"];

    private static readonly Dictionary<string, string> Secrets = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WORKER__TOKEN"] = Secret + "-token", ["AWS_SECRET_ACCESS_KEY"] = Secret + "-aws", ["PGPASSWORD"] = Secret + "-postgres", ["SPOTTER__KEY"] = Secret + "-key", ["GITHUB_TOKEN"] = Secret + "-git",
        ["SPOTTER__WEBHOOKS__SECRET"] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", ["https_proxy"] = $"http://user:{Secret}@127.0.0.1:1", ["LD_PRELOAD_NOTE"] = Secret + "-other", ["npm_config_token"] = Secret + "-npm",
    };

    /// <summary>What of the sandbox this machine lacks, as a reason why it can't be attacked here.</summary>
    private static string Lacks => Sandbox.Missing.Count == 0 ? "" : $"; NOT TRIED HERE: {string.Join("; ", Sandbox.Missing)}";

    [LinuxFact]
    public async Task A_worker_that_was_taken_over_reaches_nothing()
    {
        var row = new AttackRow("A10", $"a worker that was taken over ({Sandbox.Present}{Lacks})", "attempts");
        using var folder = new TemporaryFolder();
        // Beside the model's folder, which a worker may read.
        using var elsewhere = new TemporaryFolder();
        using var trap = Trap.Open(elsewhere);
        var data = folder.File("data");
        Directory.CreateDirectory(Path.Combine(data, "models"));
        var model = PatchModel.Write(folder.File("patches.onnx"));
        await KeyedService.AddKeyAsync(data, "ops", "*", "submit,read,operate");
        // As a picture would lie there whose name it was told.
        var lent = Path.Combine(Directory.CreateDirectory(Path.Combine(data, "blobs", ".lent")).FullName, "name");
        File.WriteAllText(lent, "picture");
        string[] attempts = [.. Forbidden(folder, data, trap), .. trap.Forbidden, $"list {Path.GetDirectoryName(lent)}", $"watch {Path.GetDirectoryName(lent)}", $"write {lent}", $"write {lent}2"];
        string[] allowed = [$"write {Path.Combine(data, "scratch", "own")}", $"read {model}", $"read {lent}"];
        var environment = new Dictionary<string, string>(Secrets, StringComparer.Ordinal)
        {
            ["SPOTTER_FAILPOINT"] = "model-loading=escape@1",
            ["SPOTTER_FAILPOINT_ESCAPE"] = string.Join('|', [.. attempts, .. allowed]),
        };
        await using var service = await SpotterProcess.StartAsync(data, model, ["--min-workers", "1", "--max-workers", "1"], environment);
        await Eventually.BeAsync("the attempts were made", () => service.Log.Contains("escape: end", StringComparison.Ordinal), TimeSpan.FromMinutes(1));

        var said = service.Log.Split('\n');
        foreach (var attempt in attempts.Where(IsHere))
            row.Try(said.Any(line => line.StartsWith($"escape: {attempt}: refused (", StringComparison.Ordinal)), $"{attempt}: {said.FirstOrDefault(line => line.StartsWith($"escape: {attempt}:", StringComparison.Ordinal))}");
        // What may be done says that the attempts were real.
        foreach (var attempt in allowed)
            row.Try(said.Contains($"escape: {attempt}: done", StringComparer.Ordinal), $"{attempt} is refused too");
        row.Try(Sandbox.Missing.Count > 0 || File.ReadAllText(lent) == "picture", "a picture was changed");
        JudgeTraces(row, folder, data, trap);
        var worker = service.Workers().ShouldHaveSingleItem();
        JudgeEnvironment(row, await File.ReadAllTextAsync($"/proc/{worker}/environ"), Processes.ArgumentsOf(worker));
        foreach (var task in Directory.GetDirectories($"/proc/{worker}/task"))
        {
            var status = await File.ReadAllTextAsync(Path.Combine(task, "status"));
            row.Try(Regex.IsMatch(status, @"CapPrm:\t0{15}[0246]\nCapEff:\t0{15}[0246]\n", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)), $"thread {task} has rights of root");
            row.Try(status.Contains("NoNewPrivs:\t1", StringComparison.Ordinal) && (status.Contains("Seccomp:\t2", StringComparison.Ordinal) || Sandbox.Missing.Count > 0), $"thread {task}");
        }
        row.End(atLeast: Sandbox.Missing.Count == 0 ? 60 : 10);
    }

    [StraceFact]
    public async Task An_inspection_that_was_taken_over_reaches_nothing()
    {
        var row = new AttackRow("A10b", $"an inspection of a model that was taken over ({Sandbox.Present}{Lacks})", "attempts");
        using var folder = new TemporaryFolder();
        // Beside the model's folder, which a worker may read.
        using var elsewhere = new TemporaryFolder();
        using var trap = Trap.Open(elsewhere);
        var data = folder.File("data");
        var models = Directory.CreateDirectory(Path.Combine(data, "models")).FullName;
        PatchModel.Write(Path.Combine(models, "first.onnx"));
        string[] attempts = [.. Forbidden(folder, data, trap), .. trap.Forbidden, $"write {Path.Combine(data, "scratch", "inspected")}", $"write {Path.Combine(models, "inspected.onnx")}"];
        var environment = new Dictionary<string, string>(Secrets, StringComparer.Ordinal)
        {
            ["SPOTTER_FAILPOINT"] = "model-inspecting=escape@1",
            ["SPOTTER_FAILPOINT_ESCAPE"] = string.Join('|', attempts),
        };
        await using var service = await SpotterProcess.StartAsync(data, model: null, ["--max-workers", "1"], environment);
        using var api = new SpotterApi(service.Address);
        IReadOnlyList<string> lines;
        await using (var strace = await Strace.AttachAsync(service.Id, folder.File("trace"), "-v", "-s", "4096", "-e", "trace=openat,execve,connect,sendto,socket,kill,bind"))
        {
            // It is looked at while the service is watched.
            PatchModel.Write(Path.Combine(models, "second.onnx"));
            await Eventually.SeeAsync("the model is taken", async () => (await api.GetAsync("/v1/models")).Json.GetRawText(), text => text.Contains("\"second\"", StringComparison.Ordinal), TimeSpan.FromMinutes(1));
            lines = Whole(await strace.DetachAsync());
        }
        // The child's threads are those that were not there before its start; of them only what went well counts.
        var started = lines.Index().Where(l => l.Item.Contains("execve(", StringComparison.Ordinal) && l.Item.Contains("SPOTTER_SANDBOX_FILTER=", StringComparison.Ordinal)).ToList();
        row.Try(started.Count > 0 || Sandbox.Missing.Count > 0, "no inspection was seen that takes a sandbox on");
        var first = started.Count > 0 ? started[0].Index : 0;
        var serviceThreads = lines.Take(first).Select(ThreadOf).Except([.. started.Select(l => ThreadOf(l.Item))], StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        var done = lines.Skip(first + 1).Where(line => !serviceThreads.Contains(ThreadOf(line)) && !line.Contains(" = -1 ", StringComparison.Ordinal)).ToList();
        foreach (var attempt in attempts.Where(IsHere))
            row.Try(!done.Exists(line => line.Contains($"\"{attempt[(attempt.IndexOf(' ', StringComparison.Ordinal) + 1)..]}\"", StringComparison.Ordinal)), attempt);
        row.Try(!done.Exists(line => line.Contains("socket(", StringComparison.Ordinal) || line.Contains("connect(", StringComparison.Ordinal)) || Sandbox.Missing.Count > 0, "it has made a socket");
        row.Try(lines.Any(line => line.Contains(Path.Combine(data, "webhook.key"), StringComparison.Ordinal) && line.Contains("= -1 E", StringComparison.Ordinal)), "the attempts were not seen at all");
        JudgeTraces(row, folder, data, trap);
        row.Try(!File.Exists(Path.Combine(models, "inspected.onnx")) && !File.Exists(Path.Combine(data, "scratch", "inspected")), "it wrote into the data folder");
        foreach (var (_, start) in started)
            row.Try(!start.Contains(Secret, StringComparison.Ordinal) && !start.Contains("whsec_", StringComparison.Ordinal), "a secret is in its environment");
        row.End(atLeast: Sandbox.Missing.Count == 0 ? 35 : 3);
    }

    [LinuxFact]
    public async Task What_is_kept_is_its_owners_alone()
    {
        var row = new AttackRow("A9", "files and folders that others of the machine could open", "files");
        using var folder = new TemporaryFolder();
        var data = Directory.CreateDirectory(folder.File("data")).FullName;
        File.SetUnixFileMode(data, (UnixFileMode)Convert.ToInt32("755", 8));
        // An earlier version left it so; the next start closes it.
        string[] open = ["gateway", "spotter.db"];
        foreach (var left in open)
        {
            await File.WriteAllTextAsync(Path.Combine(data, left), "");
            File.SetUnixFileMode(Path.Combine(data, left), (UnixFileMode)Convert.ToInt32("666", 8));
        }
        await CatalogueFile.PullAsync(folder, data, row);
        Judge("after models pull", open);
        var key = await KeyedService.AddKeyAsync(data, "ops", "*", "submit,read,operate");
        Judge("after keys add", open);
        await using (var service = await SpotterProcess.StartAsync(data, PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1", "--callback-allow", "127.0.0.1"]))
        {
            using var api = new SpotterApi(service.Address, key);
            SpotterApi.StateOf(await api.RunAsync(Pictures.Png(90), Part.Field("annotate", "true"), Part.Field("model", "patches"))).ShouldBe("succeeded");
            Judge("while it runs", []);
            (await service.TerminateAsync()).ShouldBe(0);
        }
        Judge("after its end", []);
        row.End(atLeast: 40);

        void Judge(string when, string[] except)
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(data, "*", SearchOption.AllDirectories).Where(p => Path.Exists(p) && !except.Contains(Path.GetFileName(p), StringComparer.Ordinal)))
                row.Try((int)(File.GetUnixFileMode(path) & (UnixFileMode)Convert.ToInt32("077", 8)) == 0, $"{when}: {Path.GetRelativePath(data, path)} {File.GetUnixFileMode(path)}");
        }
    }

    /// <summary>Attempts on files, programs and processes.</summary>
    private static IEnumerable<string> Forbidden(TemporaryFolder folder, string data, Trap trap)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string[] written = [folder.File("escaped"), Path.Combine(home, "." + Named(folder)), Path.Combine(data, "keys.json"), Path.Combine(data, "spotter.db"), Path.Combine(data, "blobs", "x"), Path.Combine(data, "models", "evil.onnx"), Path.Combine(data, "gateway"), "/etc/" + Named(folder), "/usr/lib/" + Named(folder), "/dev/shm/" + Named(folder), BesideTheProgram(folder)];
        string[] read = [Path.Combine(data, "spotter.db"), Path.Combine(data, "spotter.db-wal"), Path.Combine(data, "webhook.key"), Path.Combine(data, "keys.json"), "/etc/shadow", "/etc/hostname", Path.Combine(home, ".bashrc"), $"/proc/{Environment.ProcessId}/environ", $"/proc/{Environment.ProcessId}/mem", "/proc/1/environ", "/dev/mem", trap.File];
        return [.. new[] { "/bin/true", "/bin/sh", "/usr/bin/env", trap.Script }.Where(File.Exists).Select(p => $"exec {p}"), .. written.Select(p => $"write {p}"), .. read.Where(p => !p.StartsWith("/dev/", StringComparison.Ordinal) || File.Exists(p)).Select(p => $"read {p}")];
    }

    /// <summary>Whether a machine that lacks a part of the sandbox is to refuse it all the same.</summary>
    private static bool IsHere(string attempt) => Sandbox.Missing.Count == 0 || (!Sandbox.Missing.Any(m => m.Contains("seccomp", StringComparison.Ordinal)) && attempt.StartsWith("exec", StringComparison.Ordinal));

    private static void JudgeTraces(AttackRow row, TemporaryFolder folder, string data, Trap trap)
    {
        if (Sandbox.Missing.Count > 0)
            return;
        row.Try(trap.Connects == 0, $"{trap.Connects} connects or packets came out");
        foreach (var file in (string[])[folder.File("escaped"), trap.Sign, Path.Combine(data, "models", "evil.onnx"), Path.Combine(data, "blobs", "x"), "/etc/" + Named(folder), "/usr/lib/" + Named(folder), "/dev/shm/" + Named(folder), BesideTheProgram(folder), Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "." + Named(folder))])
        {
            row.Try(!File.Exists(file), $"{file} was written");
            File.Delete(file);
        }
    }

    private static void JudgeEnvironment(AttackRow row, string environment, IReadOnlyList<string> arguments)
    {
        foreach (var variable in environment.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = variable.Split('=')[0];
            // Not the value: it may be what nobody should read.
            row.Try(Harmless.Any(known => name == known || (known.EndsWith('_') || known == "SPOTTER_FAILPOINT") && name.StartsWith(known, StringComparison.Ordinal)), $"{name} is in its environment");
        }
        row.Try(!environment.Contains(Secret, StringComparison.Ordinal) && !environment.Contains("whsec_", StringComparison.Ordinal), "a secret is in its environment");
        row.Try(!arguments.Any(a => a.Contains(Secret, StringComparison.Ordinal)), "a secret is in its arguments");
    }

    /// <summary>A name that nobody else uses, for files outside of the test's folder.</summary>
    private static string Named(TemporaryFolder folder) => "spotter-attack-" + Path.GetFileName(folder.Path);

    private static string BesideTheProgram(TemporaryFolder folder) => Path.Combine(Path.GetDirectoryName(SpotterProgram.File)!, Named(folder));

    private static string ThreadOf(string line) => line.Split(' ')[0];

    /// <summary>Calls that were noted in two parts, as another came between, as one line where they ended.</summary>
    private static List<string> Whole(IReadOnlyList<string> lines)
    {
        const string Unfinished = " <unfinished ...>";
        var begun = new Dictionary<string, string>(StringComparer.Ordinal);
        List<string> whole = [];
        foreach (var line in lines)
        {
            if (line.EndsWith(Unfinished, StringComparison.Ordinal))
                begun[ThreadOf(line)] = line[..^Unfinished.Length];
            else
                whole.Add(line.Contains(" resumed>", StringComparison.Ordinal) && begun.Remove(ThreadOf(line), out var first) ? first + line[line.IndexOf(" resumed>", StringComparison.Ordinal)..] : line);
        }
        return whole;
    }
}
