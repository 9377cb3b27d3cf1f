using Spotter.Cli.Serve;
using Spotter.Core.Confinement;

namespace Spotter.Tests.Files;

public sealed class SandboxRulesTests
{
    [Fact]
    public void Rules_are_read_as_they_were_written_but_for_what_no_line_can_hold()
    {
        var rules = new SandboxRules { Read = ["/a b", "/c\nwrite /"], Write = ["/d"], Port = 8080, MemoryBytes = 5L << 32 };

        var read = SandboxRules.Parse(rules.ToText());

        read.Read.ShouldBe(["/a b"]);
        read.Write.ShouldBe(["/d"]);
        (read.Port, read.MemoryBytes).ShouldBe((8080, 5L << 32));
        SandboxRules.Parse(new SandboxRules().ToText()).Port.ShouldBeNull();
        Should.Throw<FormatException>(() => SandboxRules.Parse("allow /"));
    }

    [Fact]
    public void A_model_brings_its_folder_unless_that_holds_the_data_too()
    {
        using var folder = new TemporaryFolder();
        var data = Directory.CreateDirectory(folder.File("data")).FullName;
        var apart = Directory.CreateDirectory(folder.File("apart")).FullName;
        foreach (var file in (string[])["apart/m.onnx", "m.onnx", "m.yaml", "labels.txt", "secret.env", "spotter.yaml"])
            File.WriteAllText(folder.File(file), "");

        ChildSandbox.FilesOf(Path.Combine(apart, "m.onnx"), data).ShouldBe([apart]);
        ChildSandbox.FilesOf(folder.File("m.onnx"), data).Distinct(StringComparer.Ordinal).ShouldBe(
            [folder.File("m.onnx"), folder.File("m.yaml"), folder.File("labels.txt")], ignoreOrder: true);
    }

    [Theory]
    [InlineData("m.onnx")]
    [InlineData("spotter.onnx")]
    public void The_settings_beside_a_model_are_no_workers_business(string model)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in (string[])[model, "spotter.yaml"])
            File.WriteAllText(folder.File(file), "");

        ChildSandbox.FilesOf(folder.File(model), "/somewhere/else").Where(path => path == folder.Path || path == folder.File("spotter.yaml")).ShouldBeEmpty();
    }

    [LinuxFact]
    public void Links_hide_no_data_folder()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("real/data"));
        File.WriteAllText(folder.File("real/m.onnx"), "");
        File.WriteAllText(folder.File("real/secret.env"), "");
        Directory.CreateSymbolicLink(folder.File("linked"), folder.File("real/data"));
        Directory.CreateSymbolicLink(folder.File("parent"), folder.File("real"));

        foreach (var data in (string[])[folder.File("linked"), folder.File("parent/data"), folder.File("real/data")])
        {
            ChildSandbox.FilesOf(folder.File("real/m.onnx"), data).Contains(folder.File("real"), StringComparer.Ordinal).ShouldBeFalse(data);
            ChildSandbox.FilesOf(folder.File("parent/m.onnx"), data).ShouldAllBe(path => path.EndsWith("m.onnx", StringComparison.Ordinal) || path.EndsWith("m.yaml", StringComparison.Ordinal), data);
            // Nor does a folder of models that holds it.
            ChildSandbox.OfWorker([], [folder.File("real")], data, folder.File("real/data/scratch"), lent: null, 1).Read.Contains(folder.File("real"), StringComparer.Ordinal).ShouldBeFalse(data);
        }
        ChildSandbox.OfWorker([], [folder.File("real/data/models")], folder.File("linked"), folder.File("real/data/scratch"), lent: null, 1).Read.Contains(folder.File("real/data/models"), StringComparer.Ordinal).ShouldBeTrue();
    }
}
