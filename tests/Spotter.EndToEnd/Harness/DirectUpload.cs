using System.Text.Json;

namespace Spotter.EndToEnd.Harness;

/// <summary>An upload past the gateway, as a client of the API makes it.</summary>
/// <param name="api">The client.</param>
/// <param name="offer">What the gateway offered.</param>
public sealed class DirectUpload(SpotterApi api, JsonElement offer)
{
    /// <summary>What is to be called when the picture is there.</summary>
    public string Confirm => offer.GetProperty("confirm").GetString()!;

    /// <summary>The fields of its form.</summary>
    public IReadOnlyDictionary<string, string> Fields => offer.GetProperty("fields").EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!, StringComparer.Ordinal);

    /// <summary>The key in the bucket.</summary>
    public string Key => Fields["key"];

    /// <summary>Asks for one.</summary>
    public static Task<Answer> AskAsync(SpotterApi api, params (string Name, object Value)[] fields) =>
        api.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/uploads")
        {
            Content = new StringContent(JsonSerializer.Serialize(fields.ToDictionary(f => f.Name, f => f.Value, StringComparer.Ordinal)), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
        });

    /// <summary>Asks for one, and has to get it.</summary>
    public static async Task<DirectUpload> OfferAsync(SpotterApi api, params (string Name, object Value)[] fields)
    {
        var answer = await AskAsync(api, fields);
        ((int)answer.Status).ShouldBe(201, answer.Text);
        return new DirectUpload(api, answer.Json);
    }

    /// <summary>Sends the picture as a browser does; moto looks at no signature and no condition.</summary>
    /// <param name="picture">Its bytes.</param>
    /// <param name="server">The bucket's server, where the client reaches it by another address than the gateway.</param>
    public async Task SendAsync(byte[] picture, Uri? server = null)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in Fields)
            form.Add(new StringContent(value), $"\"{name}\"");
        form.Add(new ByteArrayContent(picture), "\"file\"", "\"picture.png\"");
        var url = new Uri(offer.GetProperty("url").GetString()!);
        using var client = new HttpClient();
        using var sent = await client.PostAsync(server is null ? url : new Uri(server, url.PathAndQuery), form);
        ((int)sent.StatusCode).ShouldBe(201, await sent.Content.ReadAsStringAsync());
    }

    /// <summary>Says that the picture is there.</summary>
    /// <param name="as">Who says so; null for who asked for the upload.</param>
    /// <param name="waitSeconds">How long to wait for the result; null for not.</param>
    public Task<Answer> ConfirmAsync(SpotterApi? @as = null, int? waitSeconds = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Confirm);
        if (waitSeconds is { } seconds)
            request.Headers.Add("Prefer", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"wait={seconds}"));
        return (@as ?? api).SendAsync(request);
    }
}
