using System.Diagnostics;
using System.Globalization;
using System.Net;
using Spotter.EndToEnd.Telegram;
using Xunit.Abstractions;

namespace Spotter.Attack;

/// <summary>
/// Hundreds who send a byte at a time to each port, while others ask. A busy machine makes everybody slow, so the same is asked
/// of a service beside it in the same moments, to which nobody is slow: it tells the machine's part from that of the slow ones.
/// </summary>
public sealed class SlowClientTests(SlowClientServices services, ITestOutputHelper output) : IClassFixture<SlowClientServices>
{
    private const int Slow = 500;
    private const int LeastAnswers = 300;

    // Of others' answers, where the machine itself is not slow.
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private const int MostTimesBeside = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly byte[] Filler = "a"u8.ToArray();

    [Fact]
    public Task Headers_that_trickle_keep_nobody_waiting() => TryAsync("A25", "headers", () =>
        Ports.Select(port => SlowClients.Start(port, Slow, "", [.. "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: "u8, .. Enumerable.Repeat((byte)'a', 10_000)])));

    [Fact]
    public Task Bodies_that_trickle_keep_nobody_waiting() => TryAsync("A26", "pictures", () =>
    [
        SlowClients.Start(Service.Process.Address, Slow, Head("/v1/jobs", $"Authorization: Bearer {Service.SlowKey}\r\nContent-Type: image/png\r\n"), Pictures.Png(150)),
        SlowClients.Start(
            Service.Process.CameraAddress!, Slow,
            Head("/v1/vision/detection", $"Authorization: Bearer {Service.SlowKey}\r\nContent-Type: multipart/form-data; boundary=b\r\n") + "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n", Pictures.Png(150)),
    ]);

    [Fact]
    public Task Updates_that_trickle_keep_nobody_waiting() => TryAsync("A27", "updates with Telegram's secret, and forms of strangers,", () =>
    [
        SlowClients.Start(Service.Process.Address, Slow, Head("/telegram/webhook", $"{Service.Secret}Content-Type: application/json\r\n"), "{\"update_id\":"u8.ToArray()),
        SlowClients.Start(Service.Process.CameraAddress!, Slow, Head("/v1/vision/detection", "Content-Type: multipart/form-data; boundary=b\r\n") + "--b\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n", Filler),
    ]);

    private AskedService Service => services.Attacked;

    private IReadOnlyList<Uri> Ports => [Service.Process.Address, Service.Process.CameraAddress!];

    private async Task TryAsync(string number, string what, Func<IEnumerable<SlowClients>> open)
    {
        var row = new AttackRow(number, $"{Slow} connections to each port that send {what} a byte at a time, and who asks besides", "requests");
        var beside = new AttackTimes();
        List<SlowClients> slow = [.. open()];
        try
        {
            await Eventually.BeAsync("the slow ones are there", () => slow.TrueForAll(s => s.AreThere), Patience);
            var begun = Stopwatch.GetTimestamp();
            // Until the service has ended each of them, so that its way of getting rid of them is seen too.
            for (var answers = 0; answers < LeastAnswers || slow.Exists(s => s.Ended < Slow);)
            {
                Stopwatch.GetElapsedTime(begun).ShouldBeLessThan(Patience, $"of {Slow} slow ones were ended: {string.Join(" and ", slow.Select(s => s.Ended))}");
                foreach (var ((question, ask), (_, askBeside)) in Service.Questions().Zip(services.Beside.Questions()))
                {
                    var answer = await row.TimeAsync(ask);
                    row.Try(answer.Status is HttpStatusCode.OK or HttpStatusCode.Accepted, $"{question}: {answer}");
                    (await beside.TimeAsync(askBeside)).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Accepted);
                    answers++;
                }
                foreach (var one in slow)
                    await one.CheckAsync();
            }
            output.WriteLine($"the slow ones heard {string.Join("; ", slow.Select(s => s.Heard))}");
        }
        finally
        {
            foreach (var one in slow)
                await one.DisposeAsync();
        }
        output.WriteLine($"beside {Slow} connections to each port that send {what} a byte at a time: {row.Times}");
        output.WriteLine($"a service to which nobody is slow, in the same moments: {beside}");
        row.Try(row.Times.Percentile(99) < Most || row.Times.Percentile(99) < beside.Percentile(99) * MostTimesBeside, string.Create(CultureInfo.InvariantCulture, $"{row.Times}; where nobody is slow {beside}"));
        row.End(atLeast: LeastAnswers);
    }

    private static string Head(string path, string headers) => $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 100000\r\n\r\n";
}

/// <summary>A service to which many are slow, and one beside it to which nobody is.</summary>
public sealed class SlowClientServices : IAsyncLifetime
{
    private FakeBotApi? bot;

    internal AskedService Attacked { get; private set; } = null!;

    internal AskedService Beside { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        bot = await FakeBotApi.StartAsync();
        Attacked = await AskedService.StartAsync(bot);
        Beside = await AskedService.StartAsync(bot);
    }

    public async Task DisposeAsync()
    {
        foreach (var service in (AskedService?[])[Attacked, Beside])
        {
            if (service is not null)
                await service.DisposeAsync();
        }
        if (bot is not null)
            await bot.DisposeAsync();
    }
}
