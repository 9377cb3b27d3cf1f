using System.Globalization;
using System.Text;

namespace Spotter.Faults.Harness;

/// <summary>The table that <c>./test faults</c> prints at its end: every fault that was tried, and what came of it.</summary>
internal static class FaultTable
{
    private static readonly Lock Gate = new();
    private static readonly SortedDictionary<string, Line> Lines = new(StringComparer.Ordinal);
    private static readonly SortedDictionary<string, bool> Bugs = new(StringComparer.Ordinal);

    /// <summary>Notes one try of a fault, and fails the test unless it was survived.</summary>
    /// <param name="row">The row of the fault matrix.</param>
    /// <param name="fault">What was done.</param>
    /// <param name="verdict">What came of it.</param>
    public static void ShouldSurvive(int row, string fault, Verdict verdict)
    {
        Note(row, fault, verdict);
        verdict.Holds.ShouldBeTrue($"{fault}:\n{verdict}");
    }

    /// <summary>Notes one try of a fault.</summary>
    public static void Note(int row, string fault, Verdict verdict)
    {
        lock (Gate)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{row:00} {fault}");
            var line = Lines.GetValueOrDefault(key) ?? new Line(0, 0, 0, 0);
            Lines[key] = new Line(line.Tried + 1, line.Survived + (verdict.Holds ? 1 : 0), line.Lost + verdict.Lost.Count, line.Doubled + verdict.Doubled.Count);
            Write();
        }
    }

    /// <summary>Notes whether a planted mistake was noticed, and fails the test unless it was.</summary>
    public static void ShouldCatch(string bug, Verdict verdict)
    {
        lock (Gate)
        {
            Bugs[bug] = !verdict.Holds;
            Write();
        }
        verdict.Holds.ShouldBeFalse($"nothing noticed the mistake '{bug}'");
    }

    private static void Write()
    {
        if (Environment.GetEnvironmentVariable("SPOTTER_FAULTS_TABLE") is not { Length: > 0 } file)
            return;
        var text = new StringBuilder();
        var width = Math.Max(40, Lines.Keys.Select(k => k.Length).DefaultIfEmpty().Max());
        text.AppendLine(CultureInfo.InvariantCulture, $"{"fault".PadRight(width)}  tried  survived  lost  doubled");
        foreach (var (name, line) in Lines)
            text.AppendLine(CultureInfo.InvariantCulture, $"{name.PadRight(width)}  {line.Tried,5}  {line.Survived,8}  {line.Lost,4}  {line.Doubled,7}");
        var sum = Lines.Values.Aggregate(new Line(0, 0, 0, 0), (a, b) => new Line(a.Tried + b.Tried, a.Survived + b.Survived, a.Lost + b.Lost, a.Doubled + b.Doubled));
        text.AppendLine(CultureInfo.InvariantCulture, $"{"sum".PadRight(width)}  {sum.Tried,5}  {sum.Survived,8}  {sum.Lost,4}  {sum.Doubled,7}");
        text.AppendLine(CultureInfo.InvariantCulture, $"planted bugs caught: {Bugs.Values.Count(caught => caught)}/{Bugs.Count} ({string.Join(", ", Bugs.Select(b => b.Value ? b.Key : b.Key + " NOT"))})");
        File.WriteAllText(file, text.ToString());
    }

    private sealed record Line(int Tried, int Survived, int Lost, int Doubled);
}
