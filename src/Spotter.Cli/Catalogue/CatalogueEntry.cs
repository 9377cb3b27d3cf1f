using System.Text.Json.Serialization;

namespace Spotter.Cli.Catalogue;

/// <summary>The form of a catalogue's file.</summary>
/// <param name="Models">What can be had.</param>
internal sealed record CatalogueDocument(IReadOnlyList<CatalogueEntry> Models);

/// <summary>A model that can be downloaded: where it lies and exactly which bytes it has.</summary>
internal sealed record CatalogueEntry
{
    /// <summary>The name by which it is pulled and, once here, chosen; its file is <c>NAME.onnx</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, as <c>detect</c>.</summary>
    public required string Task { get; init; }

    /// <summary>What it is, in half a sentence.</summary>
    public required string What { get; init; }

    /// <summary>Where it lies, over HTTP or HTTPS.</summary>
    public required Uri Url { get; init; }

    /// <summary>Its length.</summary>
    public required long Bytes { get; init; }

    /// <summary>The SHA-256 of its bytes, in hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Under which terms it may be used.</summary>
    public required ModelLicence Licence { get; init; }

    /// <summary>
    /// Lines of the file <c>NAME.yaml</c> that is put beside it: what its file does not tell of it; null when it tells enough.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Overrides { get; init; }
}

/// <summary>The terms under which a model may be used, and how well they are known.</summary>
/// <param name="Id">Its SPDX identifier, as <c>Apache-2.0</c>.</param>
/// <param name="Holder">Who gives it.</param>
/// <param name="Evidence">How it is known: stated where, or inferred from what.</param>
/// <param name="Permissive">True when it obliges to no more than naming its holder; others have to be accepted by name.</param>
internal sealed record ModelLicence(string Id, string Holder, string Evidence, bool Permissive)
{
    /// <summary>True when it need not be accepted, or is by <paramref name="accepted"/>.</summary>
    public bool IsAcceptedBy(string? accepted) => Permissive || string.Equals(accepted, Id, StringComparison.OrdinalIgnoreCase);
}
