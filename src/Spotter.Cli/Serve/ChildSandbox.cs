using System.Runtime.InteropServices;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Confinement;
using Spotter.Vision;
using Spotter.Vision.Models;

namespace Spotter.Cli.Serve;

/// <summary>The rules of the processes that run code on what strangers send.</summary>
internal static class ChildSandbox
{
    // Room for what counts as written to and never is: stacks, and the heaps that each thread gets.
    private const long UnusedBytes = 1L << 30;

    // What the runtime and the libraries are loaded from, and what they look up about the machine. Of /proc the kernel shows a
    // confined process nothing but names and numbers of others. No folder here holds a secret that others may not read.
    private static readonly string[] SystemFiles =
    [
        "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share", "/usr/local/lib", "/usr/local/share", "/nix/store", "/gnu/store",
        "/proc", "/sys",
        "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom",
        "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
        "/etc/resolv.conf", "/etc/gai.conf", "/etc/os-release", "/etc/passwd", "/etc/group", "/etc/dotnet", "/etc/fonts", "/etc/terminfo", "/etc/alternatives",
        "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies", "/etc/ssl/certs", "/etc/localtime", "/etc/malloc.conf",
    ];

    private static readonly Lazy<IReadOnlyList<string>> Program = new(() => [.. ProgramFiles()]);

    /// <summary>The rules of a worker.</summary>
    /// <param name="models">Its models' files.</param>
    /// <param name="modelFolders">Where more of them may come to lie.</param>
    /// <param name="data">The data folder, which is none of its business.</param>
    /// <param name="scratch">Its folder for temporary files.</param>
    /// <param name="lent">Where it finds the pictures of its jobs; null when it fetches them.</param>
    /// <param name="port">The gateway's port.</param>
    public static SandboxRules OfWorker(IEnumerable<string> models, IEnumerable<string> modelFolders, string data, string scratch, string? lent, int port) => new()
    {
        Lent = lent is null ? [] : [lent],
        Read = [.. SystemFiles, .. Program.Value, .. modelFolders.Where(folder => !HoldsMore(Path.GetFullPath(folder), data)), .. models.SelectMany(m => FilesOf(m, data))],
        Write = [scratch, "/dev/null", .. OnceFile()],
        Port = port,
        MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes + UnusedBytes,
    };

    /// <summary>The rules of a process that looks at one model: half the machine is enough for any that can be served here.</summary>
    /// <param name="model">The model's file.</param>
    /// <param name="data">The data folder, which is none of its business.</param>
    public static SandboxRules OfInspection(string model, string data) => new()
    {
        Read = [.. SystemFiles, .. Program.Value, .. FilesOf(model, data)],
        Write = ["/dev/null", .. OnceFile()],
        MemoryBytes = (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2) + UnusedBytes,
    };

    /// <summary>
    /// What belongs to a model file: its folder, since a new version is another file there, and weights may lie beside it. A
    /// folder that holds more than models is not for a worker: then it is the files of the model's name, as they are now.
    /// </summary>
    internal static IReadOnlyList<string> FilesOf(string model, string data)
    {
        var file = Path.GetFullPath(model);
        List<string> found = [];
        foreach (var place in new[] { file, RealPath(file) }.Distinct(StringComparer.Ordinal))
        {
            var folder = Path.GetDirectoryName(place)!;
            if (!HoldsMore(folder, data))
                found.Add(folder);
            else
                found.AddRange(Beside(place, folder).Where(path => Path.GetFileName(path) != SettingSources.FileName));
        }
        return found;
    }

    /// <summary>The file, the file of overrides and the labels that it names, and weights beside it.</summary>
    private static IEnumerable<string> Beside(string file, string folder)
    {
        yield return file;
        yield return RealPath(ModelFiles.OverridesOf(file));
        foreach (var named in ModelFiles.NamedBy(file))
            yield return RealPath(named);
        var stem = Path.GetFileNameWithoutExtension(file);
        if (!Directory.Exists(folder))
            yield break;
        foreach (var other in Directory.EnumerateFiles(folder).Where(f => IsPart(Path.GetFileName(f), stem)))
            yield return RealPath(other);
    }

    private static bool IsPart(string name, string stem) =>
        name.StartsWith(stem, StringComparison.Ordinal)
        || Path.GetExtension(name).ToUpperInvariant() is ".TXT" or ".DATA" or ".BIN" or ".NAMES" or ".WEIGHT" or ".ONNX_DATA";

    private static bool HoldsMore(string folder, string data)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.GetPathRoot(folder) == folder || File.Exists(Path.Combine(folder, SettingSources.FileName))
            || IsIn(data, folder) || IsIn(Path.GetTempPath(), folder) || (home.Length > 0 && IsIn(home, folder));
    }

    /// <summary>True for a path at or below a folder, whatever links lead to either.</summary>
    private static bool IsIn(string path, string folder)
    {
        static string Ended(string path) => Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
        string[] folders = [Ended(folder), Ended(RealPath(folder))];
        return new[] { Ended(path), Ended(RealPath(path)) }.Any(p => folders.Any(f => p.StartsWith(f, StringComparison.Ordinal)));
    }

    /// <summary>The path without links, those of the folders above included; as it is where it can't be followed.</summary>
    private static string RealPath(string path)
    {
        try
        {
            var real = Path.GetPathRoot(path)!;
            foreach (var part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
            {
                real = Path.Combine(real, part);
                if (File.ResolveLinkTarget(real, returnFinalTarget: true) is { } target)
                    real = target.FullName == path ? path : RealPath(target.FullName);
            }
            return real;
        }
        catch (Exception lost) when (lost is IOException or UnauthorizedAccessException)
        {
            return path;
        }
    }

    private static IEnumerable<string> ProgramFiles()
    {
        yield return AppContext.BaseDirectory;
        foreach (var place in NativeLibraryPaths.Folders)
            yield return place;
        var runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        // shared/Microsoft.NETCore.App/10.0.0 in the folder of all of .NET; else the runtime came with the program.
        if (Path.GetDirectoryName(Path.GetDirectoryName(runtime)) is { } shared && Path.GetFileName(shared) == "shared")
            yield return Path.GetDirectoryName(shared)!;
        else
            yield return runtime;
        foreach (var folder in (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
    }

    /// <summary>Failpoints note what they did.</summary>
    private static IEnumerable<string> OnceFile() =>
        Environment.GetEnvironmentVariable(Failpoint.FileVariable) is { Length: > 0 } file ? [Path.GetDirectoryName(Path.GetFullPath(file))!] : [];
}
