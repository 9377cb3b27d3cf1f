using Spotter.Cli.Detect;

namespace Spotter.Tests.Cli;

public sealed class DetectPiecesTests
{
    [Fact]
    public void Output_names_never_meet()
    {
        string[] pictures = ["x/a.jpg", "a.png", "y/A.JPG", "a-2.jpg", "a-2.gif", "b.c.webp", ".jpg"];
        var names = OutputNames.In("out", pictures);

        names.Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(pictures.Length);
        names[0].ShouldBe(Path.Combine("out", "a.jpg"));
        names[5].ShouldBe(Path.Combine("out", "b.c.jpg"));
        OutputNames.In("out", pictures).ShouldBe(names);
    }

    [Fact]
    public void Ten_thousand_pictures_of_one_name_are_named_at_once()
    {
        var names = OutputNames.In("out", [.. Enumerable.Range(0, 10_000).Select(i => $"{i}/img.png")]);
        names[^1].ShouldBe(Path.Combine("out", "img-10000.jpg"));
    }

    [Fact]
    public void Folders_give_their_pictures_sorted_and_named_files_stay_as_they_are()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["in/b.PNG", "in/a.jpeg", "in/c/d.webp", "in/c/e.gif", "in/readme.txt", "in/model.onnx", "in/out/a.jpg"])
            folder.File(name);
        var other = folder.File("picture-without-extension");
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "in", "loop"), Path.Combine(folder.Path, "in"));

        var pictures = PictureList.Of([other, Path.Combine(folder.Path, "in"), "missing.jpg"], Path.Combine(folder.Path, "in", "out"));

        pictures.Select(picture => Path.GetRelativePath(folder.Path, picture).Replace('\\', '/')).Take(5)
            .ShouldBe(["picture-without-extension", "in/a.jpeg", "in/b.PNG", "in/c/d.webp", "in/c/e.gif"]);
        pictures[^1].ShouldBe("missing.jpg");
        pictures.Count.ShouldBe(6);
    }
}
