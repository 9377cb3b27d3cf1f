using System.Text.Json.Nodes;
using Spotter.Core;
using Spotter.Engine;

namespace Colours;

/// <summary>Lists the colours in the palette of a GIF, which stands at its beginning and needs no decoding.</summary>
internal sealed class ColoursEngine : IJobEngine
{
    private const int HeadBytes = 13;

    public EngineDeclaration Declaration { get; } = new("colours", "1.0")
    {
        Help = "Lists the colours in the palette of a GIF",
        MediaTypes = ["image/gif"],
        MaxInputs = 20,
        RunSeconds = 60,
        Reusable = true,
        Options =
        [
            new("most", DeclaredOption.OfWhole) { Help = "Most colours in the answer", Min = 1, Max = 256, Default = RawJson.OfText("16") },
            new("pause", DeclaredOption.OfNumber) { Help = "Seconds to wait first, to see what becomes of slow jobs", Min = 0, Max = 60, Default = RawJson.OfText("0") },
        ],
    };

    public async Task<JsonObject> RunAsync(EngineWork work, CancellationToken cancel)
    {
        // A long job says now and then how far it is.
        work.Report(0);
        await Task.Delay(TimeSpan.FromSeconds(work.Parameters["pause"]!.GetValue<double>()), TimeProvider.System, cancel);
        var gif = work.Inputs[0].ReadAll();
        if (gif.Length < HeadBytes || (gif[10] & 0x80) == 0)
            throw new JobRefusedException("no_palette", "The GIF has no palette for all of its frames; save it as one of a single frame.");
        var count = 2 << (gif[10] & 7);
        if (gif.Length < HeadBytes + (3 * count))
            throw new JobRefusedException("image_truncated", "The picture ends before it should; send it again.");

        var colours = Enumerable.Range(0, count).Select(i => "#" + Convert.ToHexStringLower(gif, HeadBytes + (3 * i), 3)).ToList();
        using (var file = new StreamWriter(work.CreateFile("palette.txt", "text/plain")))
            await file.WriteAsync(string.Join('\n', colours).AsMemory(), cancel);
        return new JsonObject
        {
            ["count"] = count,
            ["colours"] = new JsonArray([.. colours.Take(work.Parameters["most"]!.GetValue<int>()).Select(c => (JsonNode)c)]),
            ["summary"] = $"{count} colours",
        };
    }
}
