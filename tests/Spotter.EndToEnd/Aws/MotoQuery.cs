using System.Net.Http.Headers;
using System.Xml.Linq;

namespace Spotter.EndToEnd.Aws;

/// <summary>Calls moto's services of the Query protocol, past Spotter.</summary>
internal sealed class MotoQuery(MotoServer moto) : IDisposable
{
    public const string Region = "eu-central-1";

    private readonly HttpClient client = new() { BaseAddress = moto.Address, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Calls an action; the root of its answer.</summary>
    public async Task<XElement> CallAsync(string service, string version, string action, params IEnumerable<(string Name, string Value)> parameters)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("Action", action), new("Version", version), .. parameters.Select(p => KeyValuePair.Create(p.Name, p.Value))]),
        };
        // It looks there for the service and the region, and checks no signature.
        request.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", $"Credential=testing/20260101/{Region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue($"{action}: {text}");
        return XElement.Parse(text);
    }

    /// <summary>The texts of all elements of that name.</summary>
    public static IReadOnlyList<string> Values(XElement root, string name) =>
        [.. root.Descendants().Where(e => e.Name.LocalName == name && !e.HasElements).Select(e => e.Value)];

    public void Dispose() => client.Dispose();
}
