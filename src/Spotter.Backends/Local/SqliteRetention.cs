using System.Text.Json;
using Spotter.Jobs;

namespace Spotter.Backends.Local;

/// <summary>What becomes of jobs that ended long ago.</summary>
internal static class SqliteRetention
{
    /// <summary>Marks their blobs as expired; the keys of those that no other job speaks of.</summary>
    public static IReadOnlyList<string> ExpireBlobs(WriteScope scope, long finishedBefore, int limit)
    {
        var old = new List<(long Seq, byte[] Spec, string? Output)>();
        using (var update = scope.Prepare("""
            UPDATE jobs SET expired = 1 WHERE seq IN (
                SELECT seq FROM jobs INDEXED BY jobs_ended
                WHERE finished IS NOT NULL AND expired = 0 AND finished < ?1 ORDER BY finished LIMIT ?2)
            RETURNING seq, spec, output
            """).Bind(1, finishedBefore).Bind(2, limit))
        {
            while (update.Step())
                old.Add((update.Long(0), update.Bytes(1), update.TextOrNull(2)));
        }
        var keys = new List<string>();
        foreach (var (seq, spec, output) in old)
            keys.AddRange(Forget(scope, seq, spec, output));
        return keys;
    }

    /// <summary>Deletes their rows; how many.</summary>
    public static int Purge(WriteScope scope, long finishedBefore, int limit)
    {
        var kept = new List<(long Seq, byte[] Spec, string? Output)>();
        var purged = 0;
        using (var delete = scope.Prepare("""
            DELETE FROM jobs WHERE seq IN (
                SELECT seq FROM jobs INDEXED BY jobs_ended
                WHERE finished IS NOT NULL AND expired IN (0, 1) AND finished < ?1 LIMIT ?2)
            RETURNING queue, priority, internal, state, expired, seq, spec, output
            """).Bind(1, finishedBefore).Bind(2, limit))
        {
            for (; delete.Step(); purged++)
            {
                scope.Moved(new Line(delete.Text(0), (JobPriority)delete.Int(1), delete.Bool(2)), (JobState)delete.Int(3), null);
                if (!delete.Bool(4))
                    kept.Add((delete.Long(5), delete.Bytes(6), delete.TextOrNull(7)));
            }
        }
        // Nobody speaks of these blobs any more; the search for orphans deletes them.
        foreach (var (seq, spec, output) in kept)
            Forget(scope, seq, spec, output);
        return purged;
    }

    /// <summary>Forgets the blobs of a job; the keys of those that no other job speaks of.</summary>
    private static List<string> Forget(WriteScope scope, long seq, byte[] spec, string? output)
    {
        var keys = JsonSerializer.Deserialize(spec, SpotterJson.Default.JobSpec)!.Inputs.Select(i => i.Key).Concat(OutputColumn.KeysOf(output)).ToList();
        return keys.FindAll(key => scope.Prepare("DELETE FROM blobs WHERE name = ?1 AND job = ?2").Bind(1, BlobName.Of(key)).Bind(2, seq).Run() > 0 && !IsKept(scope, key));
    }

    private static bool IsKept(WriteScope scope, string key)
    {
        using var select = scope.Prepare("SELECT 1 FROM blobs WHERE name = ?1 LIMIT 1").Bind(1, BlobName.Of(key));
        return select.Step();
    }
}
