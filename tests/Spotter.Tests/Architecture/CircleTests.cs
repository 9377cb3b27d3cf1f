using System.Text.RegularExpressions;

namespace Spotter.Tests.Architecture;

/// <summary>Folders of one project form no circles: each can be read, and moved, without those above it.</summary>
public sealed partial class CircleTests
{
    public static TheoryData<string> Projects =>
        [.. Directory.GetDirectories(Path.Combine(SharedFiles.Repository, "src")).Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_form_no_circles(string project)
    {
        var rooms = RoomsOf(project);
        var names = rooms.ToDictionary(
            room => room.Key,
            room => rooms.Keys.Where(other => other != room.Key && room.Value.Exists(file => Names(file, project, other, rooms))).ToHashSet(StringComparer.Ordinal),
            StringComparer.Ordinal);

        // Whoever names nobody that is left is no part of a circle.
        while (names.FirstOrDefault(room => room.Value.Count == 0).Key is { } free)
        {
            names.Remove(free);
            foreach (var others in names.Values)
                others.Remove(free);
        }

        names.Select(room => $"{room.Key} names {string.Join(", ", room.Value.Order(StringComparer.Ordinal))}").ShouldBeEmpty();
    }

    [Fact]
    public void Circles_are_seen()
    {
        var rooms = new Dictionary<string, List<string>>(StringComparer.Ordinal)
        {
            [""] = ["namespace P;\nclass Root;"],
            ["A"] = ["using P.B;\nnamespace P.A;\nclass Inner { Root root; Other other; }"],
            ["B"] = ["namespace P.B;\nclass Other { string words = \"Inner\"; } // Inner"],
        };

        Names(Bare(rooms["A"][0]), "P", "", rooms).ShouldBeTrue("folders see what lies in the root");
        Names(Bare(rooms["A"][0]), "P", "B", rooms).ShouldBeTrue();
        Names(Bare(rooms["B"][0]), "P", "A", rooms).ShouldBeFalse("words and comments name nothing");
    }

    /// <summary>The files of each folder without comments and strings; the root's are those of the empty name.</summary>
    private static Dictionary<string, List<string>> RoomsOf(string project)
    {
        var root = Path.Combine(SharedFiles.Repository, "src", project);
        return Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(path => !path.StartsWith("obj/", StringComparison.Ordinal) && !path.StartsWith("bin/", StringComparison.Ordinal))
            .GroupBy(path => path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/', StringComparison.Ordinal)] : "", StringComparer.Ordinal)
            .ToDictionary(room => room.Key, room => room.Select(path => Bare(File.ReadAllText(Path.Combine(root, path)))).ToList(), StringComparer.Ordinal);
    }

    private static bool Names(string file, string project, string other, Dictionary<string, List<string>> rooms)
    {
        var space = other.Length == 0 ? project : $"{project}.{other}";
        // A name in full, as of a using, or as far as it is needed from inside the project.
        var isSeen = other.Length == 0 || Regex.IsMatch(file, $@"\b({Regex.Escape(space)}\b|{other}\.)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
        return isSeen && rooms[other].SelectMany(text => Declaration().Matches(text)).Any(type =>
            Regex.IsMatch(file, $@"\b{type.Groups["name"].Value}\b", RegexOptions.None, TimeSpan.FromSeconds(5)));
    }

    private static string Bare(string text) => Noise().Replace(text, " ");

    [GeneratedRegex("""//[^\n]*|"(?:\\.|[^"\\\n])*"|/\*.*?\*/""", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Noise();

    [GeneratedRegex(@"^(?:public |internal )?(?:static |sealed |abstract |readonly |partial |unsafe )*(?:class|record struct|record|struct|interface|enum) (?<name>\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Declaration();
}
