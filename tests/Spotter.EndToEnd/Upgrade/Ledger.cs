using System.Globalization;
using System.Net;
using System.Text.Json;
using Spotter.Tests.Webhooks;

namespace Spotter.EndToEnd.Upgrade;

/// <summary>The client's side: which pictures were accepted, as which jobs, and what the webhooks said of them.</summary>
internal sealed class Ledger : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly WebhookEndpoint endpoint;
    private readonly Dictionary<string, byte> accepted = new(StringComparer.Ordinal);

    private Ledger(WebhookEndpoint endpoint) => this.endpoint = endpoint;

    /// <summary>The jobs, in the order in which they were accepted.</summary>
    public IReadOnlyCollection<string> Ids => accepted.Keys;

    /// <summary>Where the webhooks go.</summary>
    public string Url => endpoint.Url;

    /// <summary>The webhooks that came.</summary>
    public IReadOnlyList<ReceivedWebhook> Deliveries => endpoint.Deliveries;

    public static async Task<Ledger> StartAsync(int mostAttempts = 1) => new(await WebhookEndpoint.StartAsync()) { MostAttempts = mostAttempts };

    /// <summary>Sends as many pictures, at each of the services in turn; their jobs.</summary>
    /// <param name="delay">Seconds that they wait at least.</param>
    public async Task<IReadOnlyList<string>> SubmitAsync(int count, IReadOnlyList<SpotterApi> services, int delay = 0)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var number = accepted.Count;
            var shade = (byte)(70 + (number % 180));
            List<Part> parts = [Part.Field("callback", Url), Part.Image(Pictures.Png(shade), string.Create(CultureInfo.InvariantCulture, $"{number}.png"))];
            if (number % 3 == 0)
                parts.Insert(0, Part.Field("annotate", "true"));
            if (delay > 0)
                parts.Insert(0, Part.Field("delay", delay.ToString(CultureInfo.InvariantCulture)));
            var answer = await Eventually.SeeAsync(
                $"picture {number} is accepted",
                () => services[number % services.Count].SubmitAsync(parts, key: $"picture-{number}"),
                answer => answer.Status != HttpStatusCode.ServiceUnavailable, Patience);
            answer.Status.ShouldBe(HttpStatusCode.Accepted, answer.Text);
            accepted.Add(SpotterApi.IdOf(answer.Json), shade);
            ids.Add(SpotterApi.IdOf(answer.Json));
        }
        return ids;
    }

    /// <summary>Attempts that a job may cost: two where programs are replaced by ones that can't go on with what they did.</summary>
    public int MostAttempts { get; private init; } = 1;

    /// <summary>Holds when these jobs end well, each with the result of its own picture, and all services tell the same of them.</summary>
    public async Task ShouldSucceedAsync(IEnumerable<string> ids, params SpotterApi[] services)
    {
        foreach (var id in ids)
        {
            var job = await services[0].EndOfAsync(id, Patience);
            SpotterApi.StateOf(job).ShouldBe("succeeded", job.GetRawText());
            job.GetProperty("attempts").GetInt32().ShouldBeLessThanOrEqualTo(MostAttempts, job.GetRawText());
            var square = job.GetProperty("result").GetProperty("detections").EnumerateArray().First(d => d.GetProperty("label").GetString() == "square");
            square.GetProperty("confidence").GetDouble().ShouldBe(accepted[id] / 255.0, 0.003, "it got the result of another picture");
            foreach (var other in services[1..])
            {
                var same = await other.JobAsync(id);
                (SpotterApi.StateOf(same), Result(same)).ShouldBe((SpotterApi.StateOf(job), Result(job)));
            }
        }
    }

    /// <summary>Holds when a service knows exactly these jobs, all of which succeeded, and each was told once under its id.</summary>
    public async Task ShouldBeAllAsync(SpotterApi service)
    {
        (await service.ListAsync()).Select(SpotterApi.IdOf).ShouldBe(accepted.Keys, ignoreOrder: true);
        var stats = await service.StatsAsync();
        (stats.GetProperty("succeeded").GetInt64(), stats.GetProperty("queued").GetInt64(), stats.GetProperty("running").GetInt64())
            .ShouldBe((accepted.Count, 0, 0), stats.GetRawText());
        foreach (var id in accepted.Keys)
        {
            await Eventually.SeeAsync(
                $"the webhook of {id} is delivered", () => service.JobAsync(id), job => job.GetProperty("callback").GetProperty("state").GetString() == "delivered", Patience);
        }
        Deliveries.Select(d => d.Id).ShouldBe(accepted.Keys, ignoreOrder: true);
        Deliveries.ShouldAllBe(d => d.Json.GetProperty("type").GetString() == "job.succeeded");
    }

    public ValueTask DisposeAsync() => endpoint.DisposeAsync();

    /// <summary>What was found; a newer program may say more of it.</summary>
    private static string Result(JsonElement job) =>
        string.Join(' ', job.GetProperty("result").GetProperty("detections").EnumerateArray().Select(d =>
            $"{d.GetProperty("label")} {d.GetProperty("confidence")} {d.GetProperty("box")}"));
}
