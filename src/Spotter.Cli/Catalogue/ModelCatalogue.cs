using System.Buffers;
using System.Text.Json;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Cli.Catalogue;

/// <summary>The models that can be downloaded by name: those that Spotter knows, or those of a team's own list.</summary>
internal sealed class ModelCatalogue
{
    /// <summary>Names another catalogue: a file, or an address over HTTPS.</summary>
    public const string Variable = "SPOTTER_CATALOGUE";

    /// <summary>Longest catalogue that is read.</summary>
    public const int MaxBytes = 1 << 20;

    private const long MaxModelBytes = 64L << 30;
    private const int MaxNameLength = 100;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private ModelCatalogue(string place, IReadOnlyList<CatalogueEntry> entries) => (Place, Entries) = (place, entries);

    /// <summary>Where it was read from, for messages.</summary>
    public string Place { get; }

    /// <summary>Its models, in its own order.</summary>
    public IReadOnlyList<CatalogueEntry> Entries { get; }

    /// <summary>Reads the catalogue.</summary>
    /// <param name="place">A file or an address; null or empty for the one that comes with Spotter.</param>
    /// <param name="transfer">For one that lies on a server.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.InvalidSettings"/>: it is no catalogue. <see cref="ErrorCodes.DownloadFailed"/>: it can't be had.
    /// </exception>
    public static async Task<ModelCatalogue> LoadAsync(string? place, Transfer transfer, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(place))
            return Parse(BuiltIn(), "the built-in catalogue", address: null);
        if (Uri.TryCreate(place, UriKind.Absolute, out var address) && IsWeb(address))
        {
            // Whoever can change it on the way can change the hashes with the models.
            if (address.Scheme != Uri.UriSchemeHttps)
            {
                throw new SpotterException(
                    ErrorCodes.InvalidSettings, $"The catalogue {place} would come over plain http, where anybody on the way can change its hashes; name it by https, or a file, in {Variable}.");
            }
            return Parse(await transfer.ReadAsync(address, MaxBytes, "the catalogue", cancel), place, address);
        }
        return Parse(ReadFile(place), place, address: null);
    }

    /// <summary>The model of a name.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.UnknownModel"/>.</exception>
    public CatalogueEntry Find(string name) =>
        Entries.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.Ordinal)) ?? throw new SpotterException(
            ErrorCodes.UnknownModel,
            $"There is no model {name} in {Place}; it has {string.Join(", ", Entries.Select(entry => entry.Name))}.");

    /// <summary>Reads what a catalogue says, and refuses one that could not be followed.</summary>
    /// <param name="json">Its text.</param>
    /// <param name="place">Where it comes from, for messages.</param>
    /// <param name="address">What its relative addresses are relative to; null when it allows none.</param>
    internal static ModelCatalogue Parse(ReadOnlySpan<byte> json, string place, Uri? address)
    {
        CatalogueDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(json, CatalogueJson.Default.CatalogueDocument);
        }
        catch (JsonException e)
        {
            throw Refused($"is not of the form of a catalogue ({e.Message.TrimEnd('.')})");
        }
        if (document?.Models is not { Count: > 0 } models)
            throw Refused("has no models");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var entries = new List<CatalogueEntry>(models.Count);
        foreach (var model in models)
        {
            if (model?.Name is not { Length: > 0 and <= MaxNameLength } name || name[0] is '.' or '-' || name.AsSpan().ContainsAnyExcept(NameCharacters))
                throw Refused($"has a model with the name \"{model?.Name}\", which no file can have: letters, digits, dots, dashes and underscores make a name");
            var whole = model.Url is { IsAbsoluteUri: false } && address is not null ? model with { Url = new(address, model.Url) } : model;
            if ((names.Add(name) ? Flaw(whole) : "comes twice") is { } flaw)
                throw Refused($"can't be followed: {name} {flaw}");
            entries.Add(whole);
        }
        return new(place, entries);

        SpotterException Refused(string flaw) => new(
            ErrorCodes.InvalidSettings, $"The catalogue {place} {flaw}; correct it, or unset {Variable} to use the one that comes with Spotter.");
    }

    private static string? Flaw(CatalogueEntry entry)
    {
        if (entry.Url is not { IsAbsoluteUri: true } || !IsWeb(entry.Url))
            return "has an address that is not of HTTP or HTTPS";
        if (entry.Bytes is < 1 or > MaxModelBytes)
            return $"has {entry.Bytes} bytes, which is no length of a model";
        if (entry.Sha256 is not { Length: 64 } hash || !hash.All(char.IsAsciiHexDigit))
            return "has a SHA-256 that is not 64 hexadecimal digits";
        if (string.IsNullOrWhiteSpace(entry.Licence?.Id) || string.IsNullOrWhiteSpace(entry.Licence.Holder) || string.IsNullOrWhiteSpace(entry.Licence.Evidence))
            return "does not say its licence, whose it is and how that is known";
        return string.IsNullOrWhiteSpace(entry.Task) || string.IsNullOrWhiteSpace(entry.What) ? "does not say what it is" : null;
    }

    private static bool IsWeb(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp;

    private static byte[] BuiltIn()
    {
        using var resource = typeof(ModelCatalogue).Assembly.GetManifestResourceStream("catalogue.json")
            ?? throw new InvalidOperationException("The program was built without its catalogue.");
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] ReadFile(string place)
    {
        try
        {
            return RegularFile.ReadBytes(place, MaxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(
                ErrorCodes.InvalidSettings, $"The catalogue {place} can't be read ({e.Message.TrimEnd('.')}); name another one in {Variable}, or unset it.", e);
        }
    }
}
