using System.Net;
using System.Text.Json;
using Xunit.Abstractions;

namespace Spotter.EndToEnd.Aws;

/// <summary>A service whose every so many requests to Amazon fail: an error, too much at once, or a connection that breaks before or after.</summary>
public sealed class AwsFaultTests(ITestOutputHelper output)
{
    private const int Jobs = 60;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__LEASE__DURATIONSECONDS"] = "10",
        ["SPOTTER__LEASE__HEARTBEATSECONDS"] = "2",
        ["SPOTTER__LEASE__SWEEPSECONDS"] = "0.5",
    };

    [MotoFact]
    public async Task Whatever_fails_what_was_accepted_ends_once_and_what_is_refused_is_said()
    {
        await using var aws = await AwsServer.StartAsync();
        await using var service = await aws.ServeAsync("data", work: 5, Quick);
        using var api = new SpotterApi(service.Address);
        var (seen, failed) = (0, 0);
        var kinds = Enum.GetValues<AwsFault>();
        aws.Proxy.Fault = call =>
        {
            // Of those in a row that the SDK sends for one call, some pass.
            var number = Interlocked.Increment(ref seen);
            return number % 7 == 0 && call.Service != "s3" ? kinds[Interlocked.Increment(ref failed) % kinds.Length] : null;
        };
        var ids = new List<string>();
        var refused = 0;
        for (var i = 0; i < Jobs; i++)
        {
            // A client sends what was refused again, with the same key.
            while (true)
            {
                var answer = await api.SubmitAsync(Pictures.Png((byte)(100 + i)), key: $"key-{i}");
                if (answer.Status == HttpStatusCode.Accepted)
                {
                    ids.Add(SpotterApi.IdOf(answer.Json));
                    break;
                }
                answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, answer.Text);
                answer.Text.ShouldNotContain("Exception");
                (++refused).ShouldBeLessThan(Jobs * 5);
            }
        }
        var states = new List<string>();
        foreach (var id in ids)
            states.Add(SpotterApi.StateOf(await Eventually.SeeAsync("it has ended", () => TryAsync(api, id), SpotterApi.IsTerminal, Patience)));
        output.WriteLine($"{seen} requests, {failed} failed, {refused} submissions refused; {string.Join(", ", states.CountBy(s => s))}");

        aws.Proxy.Fault = _ => null;
        states.ShouldAllBe(state => state == "succeeded");
        ids.Distinct(StringComparer.Ordinal).Count().ShouldBe(Jobs);
        (await api.ListAsync()).Count.ShouldBe(Jobs, "each key made one job");
        failed.ShouldBeGreaterThan(Jobs);
        (await service.TerminateAsync()).ShouldBe(0, service.Log);
        output.WriteLine(service.Log);
        service.Log.ShouldNotContain(MotoServer.Credentials["AWS_SECRET_ACCESS_KEY"], Case.Insensitive);
    }

    /// <summary>A job that can't be read now is still open, as far as anybody knows.</summary>
    private static async Task<JsonElement> TryAsync(SpotterApi api, string id)
    {
        var answer = await api.GetAsync($"/v1/jobs/{id}");
        if (answer.Status == HttpStatusCode.OK)
            return answer.Json;
        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, answer.Text);
        return Open;
    }

    private static readonly JsonElement Open = JsonDocument.Parse("""{"state":"queued"}""").RootElement;
}
