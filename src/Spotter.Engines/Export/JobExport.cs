using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision;
using Spotter.Vision.Export;

namespace Spotter.Engines.Export;

/// <summary>Writes results of jobs in the formats of other tools.</summary>
/// <param name="engines">Know whose results have objects, labels or text.</param>
/// <param name="models">Know the names of classes.</param>
public sealed class JobExport(EngineCatalogue engines, ModelCatalogue models)
{
    /// <summary>The names of the formats.</summary>
    public static IReadOnlyList<string> Formats { get; } = [.. Enum.GetValues<ResultFormat>().Select(EnumNames.Of)];

    /// <summary>Sees to it that there is a format of this name.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: there is none.</exception>
    public static void Check(string format) => _ = Parse(format);

    /// <summary>What a job says of its picture; null when it did not succeed, or its engine says nothing of pictures.</summary>
    /// <param name="job">The job.</param>
    /// <param name="source">Where its picture is to be had.</param>
    public ExportedJob? Read(Job job, string source)
    {
        if (job is not { State: JobState.Succeeded, Result: { } json } || engines.FindOffered(job.Engine)?.ResultType.Type != typeof(VisionResult))
            return null;
        var result = json.Read(VisionJson.Default.VisionResult);
        return result is { Detections: null, Labels: null, Reading: null, Regions: null } ? null : new(new(job.Name ?? job.Id.Value, source, result), job.Model, json.Utf8.Length);
    }

    /// <summary>Writes what jobs say as one file.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="jobs">What they say.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>: there is no such format.</exception>
    public ExportFile Write(string format, IReadOnlyList<ExportedJob> jobs)
    {
        var used = jobs.Select(job => job.Model).Distinct(StringComparer.Ordinal).ToList();
        // The numbers of classes are a model's own; of several models each class gets a number of its own.
        var classes = used is [{ } only] ? models.Models.FirstOrDefault(model => model.Id == only)?.Labels : null;
        var file = new ExportedSet([.. jobs.Select(job => job.Picture)], string.Join('+', used), classes ?? []).Write(Parse(format));
        return new(file.Bytes, file.MediaType, file.Extension);
    }

    private static ResultFormat Parse(string format) => EnumNames.TryParse<ResultFormat>(format, out var parsed)
        ? parsed
        : throw new SpotterException(ErrorCodes.InvalidRequest, $"There is no format '{format}'; there is {string.Join(", ", Formats)}.");
}

/// <summary>What a job says of its picture.</summary>
public sealed class ExportedJob
{
    internal ExportedJob(ExportedPicture picture, string? model, int bytes) => (Picture, Model, Bytes) = (picture, model, bytes);

    /// <summary>How large it is as JSON.</summary>
    public int Bytes { get; }

    internal ExportedPicture Picture { get; }

    internal string? Model { get; }
}

/// <summary>Results in the format of another tool.</summary>
/// <param name="Bytes">What is in the file.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Extension">How its name ends, without the dot.</param>
public sealed record ExportFile(byte[] Bytes, string MediaType, string Extension);
