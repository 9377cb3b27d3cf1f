using System.Text;
using Spotter.Examples.Engines.Frames;

namespace Spotter.EndToEnd.Docs;

/// <summary>The reader's folder: the checkout's programs, and the files that the docs take for theirs.</summary>
internal static class DocsFolder
{
    private static readonly string[] Photos = ["photo.jpg", "a.jpg", "b.jpg", "c.jpg", "large.jpg", "photos/1.jpg", "photos/2.jpg"];
    private static readonly string[] Drawn = ["b.png", "c.png", "photos/3.png"];
    private static readonly string[] Linked = ["spotter", "tests", "benchmarks", "models", "deploy", "examples", "clients"];

    /// <summary>Fills a folder.</summary>
    public static void Fill(string folder)
    {
        foreach (var name in Linked)
            File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(SharedFiles.Repository, name));
        Directory.CreateDirectory(Path.Combine(folder, "photos"));
        Directory.CreateDirectory(Path.Combine(folder, "data", "models"));
        var starter = Path.Combine(SharedFiles.Repository, "models", "starter");
        foreach (var name in Photos)
            File.Copy(Path.Combine(starter, "samples", "street.jpg"), Path.Combine(folder, name));
        for (var i = 0; i < Drawn.Length; i++)
            File.WriteAllBytes(Path.Combine(folder, Drawn[i]), Pictures.Png((byte)(60 + (i * 50))));
        File.Copy(Path.Combine(starter, "starter.onnx"), Path.Combine(folder, "model.onnx"));
        PatchModel.WriteClassifier(Path.Combine(folder, "colours.onnx"));
        // A day with a few arrivals, and the secret of workers.
        File.WriteAllText(Path.Combine(folder, "day.csv"), "time,count\n0,3\n60,20\n120,0\n180,5\n240,0\n");
        File.WriteAllText(Path.Combine(folder, "token"), "a-secret-of-at-least-32-characters\n");
        using var video = new SampleVideo(32, 32, 60, i => (byte)i);
        using (var file = File.Create(Path.Combine(folder, "holiday.y4m")))
            video.CopyTo(file);
        Label(folder, "labelled");
    }

    /// <summary>A picture with one labelled object, in the form of YOLO.</summary>
    private static void Label(string folder, string name)
    {
        Directory.CreateDirectory(Path.Combine(folder, name, "images"));
        Directory.CreateDirectory(Path.Combine(folder, name, "labels"));
        File.Copy(Path.Combine(folder, "photo.jpg"), Path.Combine(folder, name, "images", "x.jpg"));
        File.WriteAllText(Path.Combine(folder, name, "labels", "x.txt"), "0 0.5 0.5 0.2 0.2\n", Encoding.ASCII);
    }
}
