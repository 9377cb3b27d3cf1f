namespace Spotter.Gateway.Results;

/// <summary>A form that uploads a picture past the gateway.</summary>
/// <param name="Id">The upload.</param>
/// <param name="Url">Where the form is to be sent.</param>
/// <param name="Fields">Its fields; the picture comes after them, as <c>file</c>.</param>
/// <param name="Expires">Until when it is taken.</param>
/// <param name="Confirm">What is to be called afterwards.</param>
public sealed record UploadView(string Id, string Url, IReadOnlyDictionary<string, string> Fields, DateTimeOffset Expires, string Confirm)
{
    /// <summary>Not the values: they are a permission.</summary>
    public override string ToString() => nameof(UploadView);
}
