namespace Spotter.Cli.Watch;

/// <summary>A picture of a camera, or of a folder.</summary>
/// <param name="Name">What it is called as a file.</param>
/// <param name="Bytes">As it came: JPEG, PNG, WebP or GIF.</param>
/// <param name="Time">When it came.</param>
internal sealed record Frame(string Name, ReadOnlyMemory<byte> Bytes, DateTimeOffset Time)
{
    /// <summary>The file that it was read from; null for one of a camera.</summary>
    public string? File { get; init; }
}
