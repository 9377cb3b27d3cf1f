namespace Spotter.Benchmarks;

/// <summary>What to measure, and with what.</summary>
internal sealed record BenchmarkOptions(IReadOnlyList<string> Parts, string Model, string Image, double Seconds)
{
    private static readonly string[] Known = ["micro", "peers", "parts", "queue", "postgres", "peers-queue", "accept", "burst", "scaling", "service"];

    public static BenchmarkOptions? Parse(string[] args)
    {
        var shared = Path.GetFullPath(Path.Combine(Repository(), "..", "shared"));
        var model = Path.Combine(shared, "models", "yolox_nano_v5layout.onnx");
        var image = Path.Combine(shared, "images", "bus.jpg");
        var seconds = 5.0;
        var parts = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--model" when i + 1 < args.Length:
                    model = args[++i];
                    break;
                case "--image" when i + 1 < args.Length:
                    image = args[++i];
                    break;
                case "--seconds" when i + 1 < args.Length && double.TryParse(args[i + 1], System.Globalization.CultureInfo.InvariantCulture, out seconds):
                    i++;
                    break;
                case var part when Known.Contains(part, StringComparer.Ordinal):
                    parts.Add(part);
                    break;
                default:
                    Console.Error.WriteLine($"usage: benchmarks/run [{string.Join("|", Known)}]… [--model FILE] [--image FILE] [--seconds N]");
                    return null;
            }
        }
        foreach (var file in (string[])[model, image])
        {
            if (File.Exists(file))
                continue;
            Console.Error.WriteLine($"There is no file {file}; name others with --model and --image.");
            return null;
        }
        return new BenchmarkOptions(parts.Count > 0 ? parts : Known, model, image, seconds);
    }

    public static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Spotter.slnx")))
                return folder.FullName;
        }
        return Directory.GetCurrentDirectory();
    }
}
