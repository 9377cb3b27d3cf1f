namespace Spotter.Benchmarks;

/// <summary>What to measure, and with what.</summary>
internal sealed record BenchmarkOptions(IReadOnlyList<string> Parts, string Model, string Image, double Seconds)
{
    private static readonly string[] Known = ["micro", "peers", "parts", "queue", "postgres", "peers-queue", "growth", "accept", "burst", "crowd", "large", "scaling", "latency", "service"];

    private static readonly string[] WithoutPictures = ["queue", "postgres", "peers-queue", "growth", "burst", "crowd", SelfTestPart];

    private const string SelfTestPart = "selftest";

    private static readonly string[] Backends = ["sqlite", "postgres", "both"];

    /// <summary>For <c>growth</c>: how many jobs wait.</summary>
    public IReadOnlyList<int> Sizes { get; private init; } = [0, 10_000, 100_000, 1_000_000];

    /// <summary>For <c>selftest</c>: the mistake to plant; null for none.</summary>
    public string? Plant { get; private init; }

    /// <summary>True if the figures go into <c>benchmarks/results</c>.</summary>
    public bool Record { get; private init; }

    /// <summary>What was measured, as it is typed. How much of <c>growth</c> was, in which order, doesn't change its figures.</summary>
    public string Command { get; private init; } = "";

    /// <summary>For <c>growth</c>: where they wait.</summary>
    public string Backend { get; private init; } = "both";

    public static BenchmarkOptions? Parse(string[] args)
    {
        var shared = Path.GetFullPath(Path.Combine(Repository(), "..", "shared"));
        var model = Path.Combine(shared, "models", "yolox_nano_v5layout.onnx");
        var image = Path.Combine(shared, "images", "bus.jpg");
        var seconds = 5.0;
        var parts = new List<string>();
        IReadOnlyList<int>? sizes = null;
        string? backend = null;
        string? plant = null;
        var record = false;
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
                case "--sizes" when i + 1 < args.Length && SizesOf(args[i + 1]) is { } given:
                    (sizes, i) = (given, i + 1);
                    break;
                case "--backend" when i + 1 < args.Length && Backends.Contains(args[i + 1], StringComparer.Ordinal):
                    backend = args[++i];
                    break;
                case "--plant" when i + 1 < args.Length && SelfTest.Plants.Contains(args[i + 1], StringComparer.Ordinal):
                    plant = args[++i];
                    break;
                case "--record":
                    record = true;
                    break;
                case var part when part == SelfTestPart || Known.Contains(part, StringComparer.Ordinal):
                    parts.Add(part);
                    break;
                default:
                    Console.Error.WriteLine($"usage: benchmarks/run [{string.Join("|", Known)}]… [--model FILE] [--image FILE] [--seconds N] [--sizes N,N…] [--backend {string.Join("|", Backends)}] [--record]; or benchmarks/run docs; or benchmarks/run {SelfTestPart} [--plant {string.Join("|", SelfTest.Plants)}]");
                    return null;
            }
        }
        var options = new BenchmarkOptions(parts.Count > 0 ? parts : Known, model, image, seconds);
        options = options with { Sizes = sizes ?? options.Sizes, Backend = backend ?? options.Backend, Plant = plant, Record = record, Command = CommandOf(args) };
        if (!options.Parts.Except(WithoutPictures, StringComparer.Ordinal).Any())
            return options;
        foreach (var file in (string[])[model, image])
        {
            if (File.Exists(file))
                continue;
            Console.Error.WriteLine($"There is no file {file}; name others with --model and --image.");
            return null;
        }
        return options;
    }

    private static string CommandOf(string[] args)
    {
        string[] leftOut = ["--record", "--sizes", "--backend"];
        var words = args.Where((word, i) => !leftOut.Contains(word, StringComparer.Ordinal) && (i == 0 || args[i - 1] is not ("--sizes" or "--backend")));
        return $"benchmarks/run {string.Join(' ', words)}".TrimEnd();
    }

    private static List<int>? SizesOf(string text)
    {
        var sizes = text.Split(',').Select(size => int.TryParse(size, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : -1).ToList();
        return sizes.Contains(-1) ? null : sizes;
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
