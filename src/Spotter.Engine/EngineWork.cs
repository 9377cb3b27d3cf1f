using System.Text.Json.Nodes;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Engine;

/// <summary>A job as an engine gets it.</summary>
public sealed class EngineWork
{
    private readonly JobInput job;
    private readonly Action<byte[]> setPicture;

    internal EngineWork(JobInput job, Action<byte[]> setPicture)
    {
        this.job = job;
        this.setPicture = setPicture;
        Parameters = JsonNode.Parse(job.Job.Spec.Parameters.Utf8.Span) as JsonObject ?? [];
        Inputs = [.. job.Job.Spec.Inputs.Zip(job.Inputs, (sent, fetched) => new WorkInput(sent, fetched))];
    }

    /// <summary>Its id.</summary>
    public string Id => job.Job.Id.Value;

    /// <summary>What its client calls the picture; null when it does not say. For people to read, and never a path.</summary>
    public string? Name => job.Job.Name;

    /// <summary>What the client said to the options of the engine, and the defaults of those of which it said nothing.</summary>
    public JsonObject Parameters { get; }

    /// <summary>Its inputs: one, or all of the request for an engine that takes them together.</summary>
    public IReadOnlyList<WorkInput> Inputs { get; }

    /// <summary>Says how far it is, 0 to 1. Clients see it at the next heartbeat.</summary>
    public void Report(double progress) => job.Progress.Report(progress);

    /// <summary>Begins a file, which clients fetch at <c>/v1/jobs/ID/outputs/NAME</c>. Dispose of the stream when it is whole.</summary>
    /// <param name="name">1 to 64 letters, digits, <c>.</c>, <c>-</c> and <c>_</c>.</param>
    /// <param name="mediaType">What it is, as <c>text/csv</c>.</param>
    /// <exception cref="SpotterException">There are too many files, or too many bytes.</exception>
    public Stream CreateFile(string name, string mediaType) => job.Outputs.Create(name, mediaType);

    /// <summary>Hands in the picture of the result, of the <see cref="EngineDeclaration.OutputMediaType"/>; clients fetch it at <c>/v1/jobs/ID/image</c>.</summary>
    public void SetPicture(byte[] encoded) => setPicture(encoded);
}

/// <summary>An input of a job.</summary>
public sealed class WorkInput
{
    private readonly EngineInput fetched;

    internal WorkInput(InputRef sent, EngineInput fetched) => (MediaType, Length, this.fetched) = (sent.MediaType, sent.Bytes, fetched);

    /// <summary>What it is. Of a picture its first bytes decide that; of anything else only the client's word.</summary>
    public string MediaType { get; }

    /// <summary>Its length in bytes.</summary>
    public long Length { get; }

    /// <summary>The bytes from their start.</summary>
    public Stream Open() => fetched.Open();

    /// <summary>All bytes at once.</summary>
    public byte[] ReadAll()
    {
        using var content = Open();
        var all = new byte[Length];
        content.ReadExactly(all);
        return all;
    }
}
