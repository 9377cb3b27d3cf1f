using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Spotter.Vision.Models;

/// <summary>
/// Looks at YAML before it is built, for what only an attack or a mistake has: anchors, by which a few lines stand for millions,
/// and depths that no stack holds.
/// </summary>
public static class YamlShape
{
    /// <summary>The line at which a text is not to be built, and why; null when all is well. It repeats nothing of the text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="deepest">Levels of maps and lists.</param>
    /// <exception cref="YamlException">It is no YAML.</exception>
    public static (long Line, string Words)? FlawOf(string text, int deepest)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            var at = parser.Current!;
            if (at is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
                return (at.Start.Line, "anchors ('&') and aliases ('*') are not taken; put a text that begins with one in quotes");
            depth += at.NestingIncrease;
            // The stream and the document are levels too.
            if (depth > deepest + 2)
                return (at.Start.Line, $"it is at most {deepest} levels deep");
        }
        return null;
    }
}
