using System.Globalization;

namespace Spotter.Core.Confinement;

/// <summary>What a child process may do that runs code on what strangers send: nothing but this.</summary>
public sealed record SandboxRules
{
    /// <summary>The variable that tells a child its rules; see <see cref="Sandbox.Enter"/>.</summary>
    public const string Variable = "SPOTTER_SANDBOX";

    /// <summary>Files and folders, with all below them, that it may read.</summary>
    public IReadOnlyList<string> Read { get; init; } = [];

    /// <summary>Files and folders, with all below them, that it may change.</summary>
    public IReadOnlyList<string> Write { get; init; } = [];

    /// <summary>Folders whose files it may read and remove, if it knows their names: it can't list them, nor make or change anything in them.</summary>
    public IReadOnlyList<string> Lent { get; init; } = [];

    /// <summary>The only TCP port to which it may connect; null for no network at all.</summary>
    public int? Port { get; init; }

    /// <summary>Bytes of memory that it may write to, its stacks counted whole; null for no limit.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The rules as one text. A path with a line break in it is left out: nobody may use it.</summary>
    public string ToText() => string.Join('\n', (IEnumerable<string>)
    [
        .. Read.Where(IsLine).Select(path => $"read {path}"),
        .. Write.Where(IsLine).Select(path => $"write {path}"),
        .. Lent.Where(IsLine).Select(path => $"lent {path}"),
        .. Port is { } port ? [string.Create(CultureInfo.InvariantCulture, $"port {port}")] : Array.Empty<string>(),
        .. MemoryBytes is { } bytes ? [string.Create(CultureInfo.InvariantCulture, $"memory {bytes}")] : Array.Empty<string>(),
    ]);

    /// <summary>Reads what <see cref="ToText"/> has written.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static SandboxRules Parse(string text)
    {
        List<string> read = [], write = [], lent = [];
        int? port = null;
        long? memory = null;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (line.Split(' ', 2))
            {
                case ["read", var path]:
                    read.Add(path);
                    break;
                case ["write", var path]:
                    write.Add(path);
                    break;
                case ["lent", var path]:
                    lent.Add(path);
                    break;
                case ["port", var number]:
                    port = int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);
                    break;
                case ["memory", var number]:
                    memory = long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);
                    break;
                default:
                    throw new FormatException($"{Variable} can't be read at '{line}'.");
            }
        }
        return new SandboxRules { Read = read, Write = write, Lent = lent, Port = port, MemoryBytes = memory };
    }

    private static bool IsLine(string path) => !path.Contains('\n', StringComparison.Ordinal);
}
