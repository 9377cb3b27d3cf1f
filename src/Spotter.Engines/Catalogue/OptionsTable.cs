using System.Text;
using Spotter.Engines.Options;

namespace Spotter.Engines.Catalogue;

/// <summary>The options as the documentation shows them.</summary>
public static class OptionsTable
{
    /// <summary>The page <c>docs/options.md</c>.</summary>
    public static string Markdown(EngineCatalogue engines)
    {
        var page = new StringBuilder()
            .Append("# Job options\n\n")
            .Append("Fields of `POST /v1/jobs`, in the form, in JSON or in the query. `./spotter detect` has those of the vision engines as flags.\n")
            .Append("This page is made from their declarations: `./spotter options >docs/options.md`.\n\n")
            .Append("| engine | does |\n|---|---|\n");
        foreach (var engine in engines.Offered)
            page.Append(null, $"| `{engine.Name}` | {engine.Help} |\n");
        Append(page, "Every job", [.. engines.Choosing, .. ScheduleOptions.All]);
        foreach (var alike in engines.Offered.GroupBy(e => e.Options))
            Append(page, string.Join(", ", alike.Select(e => $"`{e.Name}`")), alike.Key);
        return page.ToString();
    }

    private static void Append(StringBuilder page, string title, IReadOnlyList<JobOption> options)
    {
        page.Append(null, $"\n## {title}\n\n| field | is | default | does |\n|---|---|---|---|\n");
        foreach (var option in options)
            page.Append(null, $"| `{option.Name}` | {option.Values.Words} | {option.Default} | {option.Help} |\n");
    }
}
