using System.Diagnostics;
using System.IO.Compression;

namespace Spotter.EndToEnd.Engines;

/// <summary>The package Spotter.Engine, as somebody uses it who has nothing of this repository.</summary>
public sealed class PackageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task A_project_of_somebody_else_builds_and_runs_with_the_package_alone()
    {
        using var folder = new TemporaryFolder();
        var packages = Directory.CreateDirectory(folder.File("packages")).FullName;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
        await RunAsync(SharedFiles.Repository, "pack", "src/Spotter.Engine", "-c", configuration, "--no-build", "-o", packages, "-p:PackageVersion=9.8.7");
        var package = Directory.GetFiles(packages, "*.nupkg").ShouldHaveSingleItem();
        using (var zip = ZipFile.OpenRead(package))
        {
            var files = zip.Entries.Select(e => e.FullName).ToList();
            string[] wanted = ["README.md", "lib/net10.0/Spotter.Engine.xml", .. ((string[])["Spotter.Engine", "Spotter.Core", "Spotter.Jobs", "Spotter.Worker"]).Select(name => $"lib/net10.0/{name}.dll")];
            wanted.Except(files, StringComparer.Ordinal).ShouldBeEmpty();
            using var manifest = new StreamReader(zip.Entries.Single(e => e.FullName == "Spotter.Engine.nuspec").Open());
            var text = await manifest.ReadToEndAsync();
            text.ShouldContain("Apache-2.0");
            // Of what it stands on, two packages are somebody else's.
            text.Split("<dependency ").Length.ShouldBe(3, text);
            text.ShouldContain("Microsoft.Extensions.Logging.Abstractions");
            text.ShouldContain("YamlDotNet");
        }

        var project = Directory.CreateDirectory(folder.File("mine")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "nuget.config"), $"""<configuration><packageSources><add key="here" value="{packages}" /></packageSources></configuration>""");
        await File.WriteAllTextAsync(Path.Combine(project, "Mine.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Spotter.Engine" Version="9.8.7" /></ItemGroup>
            </Project>
            """);
        var readme = await File.ReadAllTextAsync(Path.Combine(SharedFiles.Repository, "src", "Spotter.Engine", "README.md"));
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), readme.Split("```csharp\n")[1].Split("```")[0]);

        await RunAsync(project, "build", "-o", folder.File("built"), "-p:RestorePackagesPath=" + folder.File("restored"));
        (await RunAsync(project, "exec", Path.Combine(folder.File("built"), "Mine.dll"), "--help")).ShouldContain("--server URL");
        Directory.GetFiles(folder.File("built"), "*.dll").Select(Path.GetFileName).ShouldNotContain(name => name!.Contains("Onnx", StringComparison.Ordinal) || name.Contains("Vips", StringComparison.Ordinal));
    }

    private static async Task<string> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        await process.WaitForExitAsync(patience.Token);
        process.ExitCode.ShouldBe(0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await errors}");
        return await output;
    }
}
