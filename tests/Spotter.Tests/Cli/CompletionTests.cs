namespace Spotter.Tests.Cli;

/// <summary>The scripts of <c>completion</c>, in the shells themselves.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    /// <summary>What is typed up to the Tab key, and what is offered; nothing where the shell is to offer file names.</summary>
    private static readonly (string Typed, string Offered)[] Lines =
    [
        ("que", "queue"),
        ("queue re", "redrive"),
        ("queue list --state d", "dead"),
        ("simulate --preset b", "balanced"),
        ("serve --pres", "--preset"),
        ("detect --jso", "--json"),
        ("load --record ", ""),
        ("load --images ", ""),
        ("detect ", ""),
    ];

    private string Spotter => Path.Combine(folder.Path, "spotter");

    public CompletionTests()
    {
        folder.File("spotter", System.Text.Encoding.UTF8.GetBytes($"#!/bin/sh\nexec dotnet '{SpotterProgram.Program}' \"$@\"\n"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Spotter, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => folder.Dispose();

    [ShellFact("bash")]
    public Task Bash() => OffersAsync("bash", """
        source <("$1" completion bash)
        [[ $(complete -p spotter) == *"-o default -F _spotter spotter" ]] || exit 1
        while IFS= read -r typed; do
          COMP_LINE="$1 $typed" COMP_POINT=$((${#1} + 1 + ${#typed}))
          read -ra COMP_WORDS <<<"$COMP_LINE"
          [[ $typed != *' ' ]] || COMP_WORDS+=('')
          COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
          _spotter "$1"
          echo "${COMPREPLY[*]}"
        done <"$2"
        """);

    [ShellFact("zsh")]
    public Task Zsh() => OffersAsync("zsh", """
        autoload -Uz compinit && compinit -u -D
        source <("$1" completion zsh)
        [[ $_comps[spotter] == _spotter ]] || exit 1
        # What the editor gives to the function, and takes of it.
        _files() { print }
        compadd() { print -r -- "${found[*]}" }
        while IFS= read -r typed; do
          words=("$1" ${=typed})
          [[ $typed != *' ' ]] || words+=('')
          CURRENT=$#words
          _spotter
        done <"$2"
        """);

    [ShellFact("fish")]
    public Task Fish() => OffersAsync("fish", """
        $argv[1] completion fish | source
        function __fish_complete_path; end
        while read -l typed
            complete -C "$argv[1] $typed" | string join ' ' | read -l offered
            echo $offered
        end <$argv[2]
        """);

    private async Task OffersAsync(string shell, string script)
    {
        var typed = folder.File("typed", System.Text.Encoding.UTF8.GetBytes(string.Concat(Lines.Select(l => l.Typed + "\n"))));
        var file = folder.File("script", System.Text.Encoding.UTF8.GetBytes(script + "\n"));

        // Not this user's own settings of the shell.
        var ran = await SpotterProgram.StartAsync(shell, [file, Spotter, typed], new(StringComparer.Ordinal) { ["HOME"] = folder.Path, ["ZDOTDIR"] = folder.Path });

        ran.Status.ShouldBe(0, ran.Errors);
        ran.Output.TrimEnd('\n').Split('\n').Select(l => l.Trim()).Concat(Enumerable.Repeat("", Lines.Length)).Take(Lines.Length)
            .ShouldBe(Lines.Select(l => l.Offered), ran.Errors);
    }

    /// <summary>A test in a shell; counted as skipped where there is none of that name.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class ShellFactAttribute : FactAttribute
    {
        public ShellFactAttribute(string shell)
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, shell))))
                Skip = $"there is no {shell} here";
        }
    }
}
