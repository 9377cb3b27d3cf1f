using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Gateway;

namespace Spotter.Cli.Catalogue;

/// <summary>How a model of the catalogue stands with a service.</summary>
internal enum OfferState
{
    /// <summary>It can be pulled.</summary>
    Available,

    /// <summary>It is being pulled, or waits for one that is.</summary>
    Pulling,

    /// <summary>A file of its name is in the folder.</summary>
    Here,

    /// <summary>It could not be pulled; it may be tried again.</summary>
    Failed,
}

/// <summary>A model of the catalogue, as the API shows it.</summary>
internal sealed record CatalogueOffer
{
    /// <summary>The name by which it is pulled and, once here, chosen.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, as <c>detect</c>.</summary>
    public required string Task { get; init; }

    /// <summary>What it is, in half a sentence.</summary>
    public required string What { get; init; }

    /// <summary>Where it comes from.</summary>
    public required Uri Url { get; init; }

    /// <summary>Its length.</summary>
    public required long Bytes { get; init; }

    /// <summary>Under which terms it may be used.</summary>
    public required ModelLicence Licence { get; init; }

    /// <summary>How it stands.</summary>
    [JsonConverter(typeof(LowerCaseEnumConverter<OfferState>))]
    public required OfferState State { get; init; }

    /// <summary>How much of it is here, while it is being pulled; else 0.</summary>
    public required long BytesHere { get; init; }

    /// <summary>Why it could not be pulled; null when that was not so.</summary>
    public required Problem? Error { get; init; }
}

/// <summary>The models that a service can pull.</summary>
/// <param name="Models">All of the catalogue, in its order.</param>
/// <param name="Closed">Why this service pulls none; null when it does.</param>
internal sealed record CatalogueView(IReadOnlyList<CatalogueOffer> Models, string? Closed);

/// <summary>What may be said when a model is to be pulled.</summary>
/// <param name="AcceptLicence">The licence that is accepted, as <c>AGPL-3.0</c>, where one has to be.</param>
internal sealed record PullRequest(string? AcceptLicence = null);
