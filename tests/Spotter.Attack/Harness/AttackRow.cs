using System.Globalization;
using System.Text;

namespace Spotter.Attack.Harness;

/// <summary>One row of the table that <c>./test attack</c> prints at its end: what was tried, how often, and what got through.</summary>
/// <param name="number">R and the number of a fault of the reliability matrix, A and the number of an attack.</param>
/// <param name="attack">What was done.</param>
/// <param name="unit">What is counted.</param>
internal sealed class AttackRow(string number, string attack, string unit)
{
    private static readonly Lock Gate = new();
    private static readonly SortedDictionary<string, Line> Lines = new(StringComparer.Ordinal);

    private readonly Lock gate = new();
    private readonly List<string> breaches = [];
    private int tried;

    /// <summary>How long the answers took whose time was noted.</summary>
    public AttackTimes Times { get; } = new();

    /// <summary>Notes one try.</summary>
    public void Try(bool holds, string otherwise)
    {
        lock (gate)
        {
            tried++;
            if (!holds)
                breaches.Add(otherwise);
        }
    }

    /// <summary>Asks, and notes how long the answer took.</summary>
    public Task<T> TimeAsync<T>(Func<Task<T>> ask) => Times.TimeAsync(ask);

    /// <summary>Writes the row, and fails the test if anything got through, or if less was tried than was meant to be.</summary>
    /// <param name="atLeast">How many tries there have to be: nothing that was not tried was kept out.</param>
    public void End(int atLeast = 1)
    {
        lock (gate)
        {
            Write($"{number}  {attack}", new Line(tried, breaches.Count, Times, unit));
            tried.ShouldBeGreaterThanOrEqualTo(atLeast, $"{number} {attack}");
            breaches.ShouldBeEmpty($"{number} {attack}");
        }
    }

    private static void Write(string name, Line line)
    {
        lock (Gate)
        {
            Lines[name] = line;
            if (Environment.GetEnvironmentVariable("SPOTTER_ATTACK_TABLE") is not { Length: > 0 } file)
                return;
            var width = Lines.Keys.Max(k => k.Length);
            var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{"attack".PadRight(width)}  tried  breached  median ms  p99 ms  worst ms  of what");
            foreach (var (attack, one) in Lines)
                text.AppendLine(CultureInfo.InvariantCulture, $"{attack.PadRight(width)}  {one.Tried,5}  {one.Breached,8}  {one.Milliseconds(50),9}  {one.Milliseconds(99),6}  {one.Milliseconds(100),8}  {one.Unit}");
            foreach (var group in Lines.Values.GroupBy(l => l.Unit, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
                text.AppendLine(CultureInfo.InvariantCulture, $"{("sum of " + group.Key).PadRight(width)}  {group.Sum(l => l.Tried),5}  {group.Sum(l => l.Breached),8}");
            File.WriteAllText(file, text.ToString());
        }
    }

    private sealed record Line(int Tried, int Breached, AttackTimes Times, string Unit)
    {
        /// <summary>The time that so many of a hundred took at most, in words; none where nothing was timed.</summary>
        public string Milliseconds(int of) => Times.Count == 0 ? "" : Times.Percentile(of).TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
    }
}
