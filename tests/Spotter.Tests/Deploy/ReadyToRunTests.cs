using System.Reflection.PortableExecutable;

namespace Spotter.Tests.Deploy;

/// <summary>What <c>./spotter</c> and the tests run is compiled for this machine when it is built (src/Spotter.Cli/ReadyToRun.targets).</summary>
public sealed class ReadyToRunTests
{
    [Theory]
    [InlineData("spotter.dll")]
    [InlineData("Spotter.Gateway.dll")]
    [InlineData("StackExchange.Redis.dll")]
    public void The_program_and_its_libraries_are_compiled_when_they_are_built(string file)
    {
        using var image = new PEReader(File.OpenRead(Path.Combine(SharedFiles.Repository, "src/Spotter.Cli/bin/Release/net10.0", file)));

        // Where the machine's own code is (ECMA-335, II.25.3.3).
        image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size.ShouldBeGreaterThan(0);
    }
}
