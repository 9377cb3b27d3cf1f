using System.Buffers.Binary;
using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spotter.EndToEnd.Releases;

/// <summary>What is in the files of a release.</summary>
public sealed partial class FilesTests
{
    private const ushort X64 = 62; // EM_X86_64
    private const ushort Arm64 = 183; // EM_AARCH64

    // What Spotter says of how old a C library may be, in docs/install.md and to dpkg.
    private const int OldestGlibc = 34;

    private static readonly string[] Needed =
    [
        "LICENSE", "README.md", "CHANGELOG.md", "THIRD-PARTY-NOTICES.txt", "docs/install.md", "sbom.cdx.json", "spotter", "wwwroot/index.html", "models/starter/starter.onnx",
        "models/starter/samples/street.jpg", "fonts/DejaVuSans-Bold.ttf", "systemd/spotter.service", "libvips.so.42", "libonnxruntime.so", "libe_sqlite3.so",
    ];

    [ReleaseFact]
    public void The_sums_are_those_of_all_files()
    {
        var sums = File.ReadAllLines(Path.Combine(ReleaseFiles.Folder, "SHA256SUMS")).Select(line => line.Split("  ")).ToDictionary(p => p[1], p => p[0], StringComparer.Ordinal);

        sums.Keys.ShouldBe(Directory.EnumerateFiles(ReleaseFiles.Folder).Select(f => Path.GetFileName(f)!).Where(f => f != "SHA256SUMS"), ignoreOrder: true);
        foreach (var (name, sum) in sums)
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(ReleaseFiles.Folder, name)))).ShouldBe(sum, name);
        string[] expected = [ReleaseFiles.Archive("linux-x64"), ReleaseFiles.Archive("linux-arm64"), ReleaseFiles.Package("amd64"), ReleaseFiles.Package("arm64")];
        expected.Select(f => Path.GetFileName(f)!).Except(sums.Keys, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [ReleaseFact]
    public void An_archive_has_all_that_is_needed_and_nothing_of_the_machine_that_made_it() => Inspect("linux-x64", X64);

    [ReleaseFact]
    public void So_has_the_one_for_arm64_whose_code_is_for_that() => Inspect("linux-arm64", Arm64);

    [ReleaseFact]
    public void The_bill_lists_every_package_with_its_licence()
    {
        var files = ReleaseFiles.Read("linux-x64").ToDictionary(e => Inner(e.Entry), e => e.Bytes, StringComparer.Ordinal);
        using var bill = JsonDocument.Parse(files["sbom.cdx.json"]);
        using var links = JsonDocument.Parse(files["spotter.deps.json"]);
        var notices = Encoding.UTF8.GetString(files["THIRD-PARTY-NOTICES.txt"]);
        var components = bill.RootElement.GetProperty("components").EnumerateArray().ToList();
        var listed = components.Select(c => $"{c.GetProperty("name").GetString()}/{c.GetProperty("version").GetString()}").ToList();

        // All that the program is linked with, its runtime included, in the versions of the lock files; and the font.
        listed.ShouldBe(
            links.RootElement.GetProperty("libraries").EnumerateObject().Where(l => l.Value.GetProperty("type").GetString() != "project").Select(l => l.Name.Replace("runtimepack.", "", StringComparison.Ordinal))
                .Append(listed.Single(l => l.StartsWith("dejavu-fonts-ttf/", StringComparison.Ordinal))), ignoreOrder: true);
        var locked = Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "packages.lock.json", SearchOption.AllDirectories)
            .SelectMany(file => Package().Matches(File.ReadAllText(file)).Select(m => $"{m.Groups["name"].Value}/{m.Groups["version"].Value}")).ToHashSet(StringComparer.OrdinalIgnoreCase);
        listed.Where(l => !l.StartsWith("dejavu", StringComparison.Ordinal) && !l.Contains(".App.Runtime.", StringComparison.Ordinal) && !locked.Contains(l)).ShouldBeEmpty();
        components.Count.ShouldBeGreaterThan(30);
        foreach (var name in listed.Select(l => l.Replace('/', ' ')))
            Count(notices, $"\n{name}\n").ShouldBeGreaterThan(0, $"there is no licence for {name}");
        files["sbom.cdx.json"].ShouldBe(File.ReadAllBytes(Path.Combine(ReleaseFiles.Folder, $"spotter-{ReleaseFiles.Version}-linux-x64.cdx.json")));
    }

    [ReleaseFact]
    public async Task A_package_says_for_which_machine_it_is_and_what_it_needs()
    {
        foreach (var machine in (string[])["amd64", "arm64"])
        {
            using var query = Process.Start(new ProcessStartInfo("dpkg-deb", ["--field", ReleaseFiles.Package(machine)]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            var control = await query.StandardOutput.ReadToEndAsync();
            await query.WaitForExitAsync();

            control.ShouldContain($"\nArchitecture: {machine}\n");
            control.ShouldContain($"\nVersion: {ReleaseFiles.Version}\n");
            control.ShouldContain(string.Create(CultureInfo.InvariantCulture, $"libc6 (>= 2.{OldestGlibc})"));
            control.ShouldNotMatch("@[A-Z]+@", "a place that nothing was put into");
        }
    }

    private static void Inspect(string platform, ushort machine)
    {
        var names = new List<string>();
        var (natives, compiled, newest) = (0, 0, 0);
        var times = new HashSet<DateTimeOffset>();
        foreach (var (entry, bytes) in ReleaseFiles.Read(platform))
        {
            names.Add(entry.Name);
            times.Add(entry.ModificationTime);
            (entry.Uid, entry.Gid, entry.Mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)).ShouldBe((0, 0, UnixFileMode.None), entry.Name);
            if (bytes.AsSpan().StartsWith("\u007fELF"u8))
            {
                natives++;
                BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(18)).ShouldBe(machine, entry.Name);
                foreach (Match symbol in Glibc().Matches(Encoding.Latin1.GetString(bytes)))
                    newest = Math.Max(newest, int.Parse(symbol.Groups["minor"].Value, CultureInfo.InvariantCulture));
            }
            // Compiled ahead of time: it starts in a fraction of the time.
            if (Inner(entry) is "spotter.dll" or "Spotter.Gateway.dll")
            {
                using var assembly = new PEReader(new MemoryStream(bytes));
                assembly.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size.ShouldBeGreaterThan(0, entry.Name);
                compiled++;
            }
            Encoding.Latin1.GetString(bytes).Contains(SharedFiles.Repository + "/", StringComparison.Ordinal).ShouldBeFalse($"{entry.Name} has a path of this machine in it");
        }

        (natives > 15, compiled).ShouldBe((true, 2));
        newest.ShouldBeLessThanOrEqualTo(OldestGlibc);
        names.ShouldBe(names.Order(StringComparer.Ordinal));
        times.Count.ShouldBe(1);
        var top = $"spotter-{ReleaseFiles.Version}-{platform}/";
        names.ShouldAllBe(name => name.StartsWith(top, StringComparison.Ordinal));
        Needed.Select(n => top + n).Except(names, StringComparer.Ordinal).ShouldBeEmpty();
        names.ShouldNotContain(name => name.EndsWith(".pdb", StringComparison.Ordinal));
    }

    /// <summary>A file's name below the folder that every archive has.</summary>
    private static string Inner(TarEntry entry) => entry.Name[(entry.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex(@"GLIBC_2\.(?<minor>\d+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Glibc();

    [GeneratedRegex("\"(?<name>[A-Za-z0-9_.-]+)\": \\{\\s+\"type\": \"(?:Direct|Transitive|CentralTransitive)\",(?:\\s+\"requested\": \"[^\"]*\",)?\\s+\"resolved\": \"(?<version>[^\"]+)\"", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Package();
}
