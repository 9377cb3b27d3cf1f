using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Engines;

public sealed class OutputFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int files;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a\0")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a b")]
    [InlineData("é")]
    public void A_name_that_could_be_a_path_is_the_engines_mistake(string name) =>
        Should.Throw<ArgumentException>(() => New().Create(name, "text/plain"));

    [Fact]
    public void Names_are_unlike_and_bounded_in_number()
    {
        var outputs = New();
        for (var i = 0; i < OutputRef.Most; i++)
            outputs.Create($"f{i}", "text/plain").Dispose();

        Should.Throw<ArgumentException>(() => outputs.Create("f1", "text/plain"));
        Should.Throw<SpotterException>(() => outputs.Create("more", "text/plain")).Code.ShouldBe(ErrorCodes.OutputTooLarge);
        outputs.Made.Count.ShouldBe(OutputRef.Most);
    }

    [Fact]
    public void All_files_together_are_no_larger_than_the_limit()
    {
        var outputs = New(mostBytes: 10);
        using var first = outputs.Create("a", "text/plain");
        using var second = outputs.Create("b", "text/plain");
        first.Write(new byte[6]);

        Should.Throw<SpotterException>(() => second.Write(new byte[5])).Code.ShouldBe(ErrorCodes.OutputTooLarge);
        second.Write([]);
    }

    private OutputFiles New(long mostBytes = 1000) => new(() => folder.File($"{files++}"), mostBytes);
}
