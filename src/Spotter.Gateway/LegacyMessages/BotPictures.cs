using Spotter.Jobs;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>
/// The pictures of a bot. It reads the annotated picture where it has put the original, so the original is kept beside that first,
/// and what Spotter has written is marked: it is never taken for an original.
/// </summary>
internal sealed class BotPictures(LegacySettings settings, ILegacyPost post, JobService jobs, JobDrawings drawings)
{
    /// <summary>The picture that is to be looked at; null if there is none.</summary>
    public async Task<LegacyObject?> OpenAsync(string name, CancellationToken cancel)
    {
        var found = await post.GetAsync(settings.Bucket, KeyOf(name), settings.MaxInputBytes, cancel);
        if (found is not { Info.Mark: { } job })
            return found;
        // The same message once more: its picture is annotated by now.
        return await post.GetAsync(settings.Bucket, OriginalOf(LegacyName.Before($"{job}-", name)), settings.MaxInputBytes, cancel)
            ?? await post.GetAsync(settings.Bucket, OriginalOf(name), settings.MaxInputBytes, cancel);
    }

    /// <summary>Keeps the original, and writes the annotated picture; the key of that.</summary>
    public async Task<string> AnnotateAsync(LegacyTarget target, Job job, CancellationToken cancel)
    {
        // Read before anything is written.
        var annotated = await ReadAsync(await drawings.OpenAsync(job, confidence: 0, enter: null, cancel), cancel);
        var original = await ReadAsync(await jobs.OpenInputAsync(job, job.Spec.Inputs[0], cancel), cancel);
        var name = target.Picture;
        // Another picture of that name has come meanwhile, and its message may still wait.
        if (await post.FindAsync(settings.Bucket, KeyOf(name), cancel) is { Mark: null } there && there.ETag != target.ETag)
            name = LegacyName.Before($"{target.Id}-", name);
        // Another picture had that name before.
        var isTaken = await post.FindAsync(settings.Bucket, OriginalOf(name), cancel) is { } earlier && earlier.Mark != target.Id && earlier.ETag != target.ETag;
        await post.PutAsync(settings.Bucket, OriginalOf(isTaken ? LegacyName.Before($"{target.Id}-", name) : name), original, job.Spec.Inputs[0].MediaType, target.Id, cancel);
        await post.PutAsync(settings.Bucket, KeyOf(name), annotated, TypeOf(annotated), target.Id, cancel);
        return KeyOf(name);
    }

    /// <summary>The media type of an annotated picture.</summary>
    public static string TypeOf(byte[] annotated) => annotated is [0x89, ..] ? "image/png" : "image/jpeg";

    private string KeyOf(string name) => settings.Folder + name;

    private string OriginalOf(string name) => $"{settings.Folder}{LegacyName.Originals}/{name}";

    /// <summary>A picture from its beginning to its end.</summary>
    public static async Task<byte[]> ReadAsync(Stream content, CancellationToken cancel)
    {
        await using (content)
        {
            using var bytes = new MemoryStream();
            await content.CopyToAsync(bytes, cancel);
            return bytes.ToArray();
        }
    }
}
