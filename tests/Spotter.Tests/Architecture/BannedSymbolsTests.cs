using System.Reflection;
using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>A line that names nothing bans nothing, and the compiler does not say so.</summary>
public sealed partial class BannedSymbolsTests
{
    public static TheoryData<string> Lines =>
        [.. ((string[])["BannedSymbols.txt", "src/BannedSymbols.txt"]).SelectMany(file => File.ReadLines(Path.Combine(SharedFiles.Repository, file)))];

    [Theory]
    [MemberData(nameof(Lines))]
    public void Every_banned_symbol_is_there(string line)
    {
        var match = Form().Match(line);
        match.Success.ShouldBeTrue(line);
        var name = match.Groups["name"].Value;
        if (match.Groups["kind"].Value == "T")
        {
            Find(name).ShouldNotBeNull(name);
            return;
        }
        var dot = name.LastIndexOf(".#", StringComparison.Ordinal) is var constructor and > 0 ? constructor : name.LastIndexOf('.');
        var type = Find(name[..dot]).ShouldNotBeNull(name);
        var member = name[(dot + 1)..].Replace("#ctor", ".ctor", StringComparison.Ordinal);
        const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;
        type.GetMembers(Public).Where(m => m.Name == member && (m is not MethodBase method || Parameters(method) == match.Groups["parameters"].Value))
            .ShouldNotBeEmpty(line);
    }

    [Fact]
    public void The_program_s_own_list_is_given_to_its_compiler()
    {
        var props = File.ReadAllText(Path.Combine(SharedFiles.Repository, "src", "Directory.Build.props"));

        props.ShouldContain("<AdditionalFiles Include=\"$(MSBuildThisFileDirectory)BannedSymbols.txt\"");
        foreach (var project in Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, "src"), "*.csproj", SearchOption.AllDirectories))
            File.ReadAllText(project).ShouldNotContain("RS0030", Case.Sensitive, project);
    }

    private static string Parameters(MethodBase method) => string.Join(',', method.GetParameters().Select(p => p.ParameterType.FullName));

    private static Type? Find(string name)
    {
        // All that the program stands on, loaded or not yet.
        foreach (var file in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator))
        {
            var assembly = Path.GetFileName(file);
            if (!assembly.StartsWith("System.", StringComparison.Ordinal) && !assembly.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
                && assembly is not ("Npgsql.dll" or "AWSSDK.S3.dll" or "MQTTnet.dll" or "StackExchange.Redis.dll"))
                continue;
            if (Assembly.Load(AssemblyName.GetAssemblyName(file)).GetType(name) is { } type)
                return type;
        }
        return null;
    }

    [GeneratedRegex(@"^(?<kind>[TMP]):(?<name>[^(;]+)(?:\((?<parameters>[^)]*)\))?;.+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
