using System.Globalization;

namespace Spotter.Attack.Harness;

/// <summary>Where a traced service sent something.</summary>
internal static class Connections
{
    /// <summary>Notes every line of a trace that has ended as a try, and as a breach unless it goes to a port of 127.0.0.1 that is meant.</summary>
    public static async Task JudgeAsync(AttackRow row, SpotterProcess service, string trace, params int[] ports)
    {
        string[] meant = [.. ports.Append(service.Address.Port).Select(port => string.Create(CultureInfo.InvariantCulture, $"htons({port})"))];
        foreach (var line in await Strace.SeeEndAsync(service.Id, trace))
        {
            var isHere = line.Contains("\"127.0.0.1\"", StringComparison.Ordinal) || line.Contains("\"::ffff:127.0.0.1\"", StringComparison.Ordinal);
            row.Try(isHere && Array.Exists(meant, port => line.Contains(port, StringComparison.Ordinal)), line);
        }
    }
}
