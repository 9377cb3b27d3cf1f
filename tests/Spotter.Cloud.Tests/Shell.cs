using System.Diagnostics;

namespace Spotter.Cloud.Tests;

/// <summary>What a program said, and how it ended.</summary>
internal sealed record ShellResult(int Status, string Output, string Errors)
{
    public string Everything => Output + Errors;

    /// <summary>The output of a program that ended well.</summary>
    public string Good()
    {
        Status.ShouldBe(0, Everything);
        return Output.Trim();
    }
}

/// <summary>Runs programs to their end.</summary>
internal static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    /// <param name="file">The program.</param>
    /// <param name="words">Its arguments.</param>
    /// <param name="environment">Variables besides those of the tests; one that is null is taken away.</param>
    public static async Task<ShellResult> RunAsync(string file, IReadOnlyList<string> words, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(file, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await Task.WhenAll(output, errors, process.WaitForExitAsync()).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return new(process.ExitCode, await output, await errors);
    }
}

/// <summary>A folder that goes away with the test.</summary>
internal sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("spotter-cloud-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    /// <summary>Writes a program, in folders of its own where its name has some.</summary>
    public void Program(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(File(name))!);
        System.IO.File.SetUnixFileMode(Write(name, text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
