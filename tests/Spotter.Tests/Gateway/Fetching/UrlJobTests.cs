using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Fetching;
using Spotter.Jobs;
using Spotter.Tests.Catalogue;
using Spotter.Tests.Http;

namespace Spotter.Tests.Gateway.Fetching;

/// <summary>Jobs whose pictures are named by their URLs, on a real web server.</summary>
public sealed class UrlJobTests : IAsyncLifetime
{
    private readonly byte[] picture = GatewayBench.Picture();
    private FileServer files = null!;
    private GatewayBench bench = null!;

    public async Task InitializeAsync()
    {
        files = await FileServer.StartAsync();
        files.Content = picture;
        bench = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await bench.DisposeAsync();
        await files.DisposeAsync();
    }

    [Fact]
    public async Task A_picture_is_fetched_and_becomes_a_job()
    {
        files.Next(http =>
        {
            http.Response.ContentType = "image/png";
            return files.GiveAsync(http);
        });

        var (status, answer) = await SendAsync(new { url = UrlOf("albums/a%20dog.png?token=secret"), labels = "dog" });

        status.ShouldBe(202, answer.ToString());
        var job = (await bench.Jobs.FindAsync(JobId.Parse(answer.GetProperty("id").GetString()!), default))!;
        job.Spec.Name.ShouldBe("a dog.png");
        job.Spec.Inputs.ShouldHaveSingleItem().Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(picture)));
        files.Requests().ShouldHaveSingleItem().Path.ShouldBe("/albums/a%20dog.png?token=secret");
    }

    [Fact]
    public async Task Several_urls_make_several_jobs_beside_the_pictures_of_a_form()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(UrlOf("1.png")), "url" }, { GatewayBench.Body(GatewayBench.Picture(width: 30)), "image", "sent.png" }, { new StringContent(UrlOf("2.png")), "url" },
        };
        using var response = await bench.Client.PostAsync(new Uri("/v1/jobs", UriKind.Relative), form);

        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        ((int)response.StatusCode).ShouldBe(202, answer.ToString());
        answer.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("name").GetString()).ShouldBe(["sent.png", "1.png", "2.png"]);
    }

    [Fact]
    public async Task A_list_in_JSON_makes_a_job_of_each()
    {
        var (status, answer) = await SendAsync(new { url = (string[])[UrlOf("1.png"), UrlOf("2.png")] });

        status.ShouldBe(202, answer.ToString());
        answer.GetProperty("jobs").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_repeated_request_fetches_nothing_and_gets_the_first_ones_jobs()
    {
        var body = new { url = (string[])[UrlOf("1.png"), UrlOf("2.png")] };
        var (_, first) = await SendAsync(body, key: "k");
        files.Requests().Count.ShouldBe(2);
        // A camera has another picture by now, and the request is the same all the same.
        files.Content = GatewayBench.Picture(width: 31);

        var (status, again) = await SendAsync(body, key: "k");

        status.ShouldBe(202, again.ToString());
        IdsOf(again).ShouldBe(IdsOf(first));
        files.Requests().ShouldBeEmpty();
        var (other, refusal) = await SendAsync(new { url = (string[])[UrlOf("1.png"), UrlOf("3.png")] }, key: "k");
        (other, refusal.GetProperty("code").GetString()).ShouldBe((422, ErrorCodes.IdempotencyMismatch));
    }

    [Fact]
    public async Task Of_two_same_requests_at_once_one_makes_the_job()
    {
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var came = 0;
        async Task TogetherAsync(HttpContext http)
        {
            if (Interlocked.Increment(ref came) == 2)
                both.SetResult();
            await both.Task;
            // Each is shown another picture.
            await http.Response.Body.WriteAsync(GatewayBench.Picture(width: 40 + came));
        }
        files.Next(TogetherAsync, TogetherAsync);

        var answers = await Task.WhenAll(SendAsync(new { url = UrlOf("a.png") }, key: "k"), SendAsync(new { url = UrlOf("a.png") }, key: "k"));

        answers.ShouldAllBe(a => a.Status == 202);
        answers.Select(a => a.Answer.GetProperty("id").GetString()).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(204)]
    [InlineData(206)]
    [InlineData(500)]
    [InlineData(304)]
    public async Task Another_answer_than_the_picture_is_told(int status)
    {
        files.Next(http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        await ShouldFailAsync(UrlOf("a.png?token=secret"), ErrorCodes.UrlFailed, $"answered with status {status}");
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_followed(int status)
    {
        files.Next(Leading("/elsewhere/b.png#part", status));

        var (answered, answer) = await SendAsync(new { url = UrlOf("a.png") });

        answered.ShouldBe(202, answer.ToString());
        files.Requests().Select(r => r.Path).ShouldBe(["/a.png", "/elsewhere/b.png"]);
        answer.GetProperty("name").GetString().ShouldBe("b.png");
    }

    [Theory]
    [InlineData("b.png", "/albums/b.png")]
    [InlineData("../b.png?x=1", "/b.png?x=1")]
    [InlineData("?x=1", "/albums/a.png?x=1")]
    [InlineData("//HOST/b.png", "/b.png")]
    [InlineData("http://HOST/b.png#x", "/b.png")]
    public async Task A_redirect_may_be_written_in_every_way(string location, string path)
    {
        files.Next(Leading(location.Replace("HOST", files.Address.Authority, StringComparison.Ordinal)));

        var (answered, answer) = await SendAsync(new { url = UrlOf("albums/a.png") });

        answered.ShouldBe(202, answer.ToString());
        files.Requests().Select(r => r.Path).ShouldBe(["/albums/a.png", path]);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://127.0.0.2/")]
    [InlineData("http://[::1]/")]
    [InlineData("//10.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:password@example.com/")]
    [InlineData("http://2130706433/")]
    public async Task A_redirect_to_where_no_request_may_go_is_not_followed(string location)
    {
        files.Next(Leading(location));

        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UrlForbidden, "");
        files.Requests().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Redirects_without_end_are_given_up()
    {
        files.Next([.. Enumerable.Repeat(Leading("/again"), 20)]);

        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UrlFailed, "leads on more than 5 times");
        files.Requests().Count.ShouldBe(6);
    }

    [Fact]
    public async Task Nobody_is_asked_whom_no_request_may_reach()
    {
        using var inside = new CountingListener(IPAddress.Parse("127.0.0.3"));

        await ShouldFailAsync(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.3:{inside.Port}/a.png"), ErrorCodes.UrlForbidden, "--fetch-allow");
        inside.Connects.ShouldBe(0);
    }

    [Fact]
    public async Task One_bad_url_among_good_ones_fetches_nothing()
    {
        var (status, _) = await SendAsync(new { url = (string[])[UrlOf("1.png"), "http://10.0.0.1/2.png"] });

        status.ShouldBe(422);
        files.Requests().ShouldBeEmpty();
        Kept().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_not_dialled()
    {
        using var inside = new CountingListener(IPAddress.Loopback, 0);
        var guard = new EgressGuard(EgressUse.Pictures, [], (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));
        using var fetcher = new UrlFetcher(new FetchSettings(), guard, TimeProvider.System);

        var refusal = await Should.ThrowAsync<SpotterException>(() => fetcher.OpenAsync("http://rebinding.example/a.png", 1000, () => new("", ""), default));

        refusal.Code.ShouldBe(ErrorCodes.UrlForbidden);
        inside.Connects.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_too_long_is_refused_before_it_is_read_or_where_it_goes_on_too_long()
    {
        var more = new byte[bench.Settings.Jobs.MaxInputBytes + 1];
        picture.CopyTo(more, 0);
        files.Content = more;
        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.BodyTooLarge, "");
        files.Next(async http => await http.Response.Body.WriteAsync(more));
        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.BodyTooLarge, "");
    }

    [Fact]
    public async Task More_urls_than_a_request_may_have_are_refused_before_any_is_fetched()
    {
        var (status, answer) = await SendAsync(new { url = Enumerable.Range(0, bench.Settings.Jobs.MaxInputsPerSubmission + 1).Select(i => UrlOf($"{i}.png")) });

        (status, answer.GetProperty("code").GetString()).ShouldBe((400, ErrorCodes.TooManyImages));
        files.Requests().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_breaks_off_makes_no_job()
    {
        files.Next(files.CutAfter(500));
        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UrlFailed, "cut the connection");
    }

    [Fact]
    public async Task What_is_no_picture_makes_no_job()
    {
        files.Content = "<html>sign in</html>"u8.ToArray();
        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UnsupportedImage, "");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_takes_too_long_is_left(bool answers)
    {
        await using var hurried = await StartAsync(f => f with { Timeout = TimeSpan.FromMilliseconds(300) });
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        files.Next(async http =>
        {
            if (answers)
            {
                await http.Response.Body.WriteAsync(picture.AsMemory(0, 100));
                await http.Response.Body.FlushAsync();
            }
            http.RequestAborted.Register(ended.SetResult);
            await ended.Task;
        });

        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UrlFailed, "took longer than 0.3 s", hurried);
        await ended.Task.WaitAsync(GatewayBench.Safety);
    }

    [Fact]
    public async Task Nobody_there_is_told()
    {
        int port;
        using (var closed = new CountingListener(IPAddress.Loopback))
            port = closed.Port;
        await ShouldFailAsync(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/a.png"), ErrorCodes.UrlFailed, "refused the connection");
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_fetch()
    {
        var (asked, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        files.Next(async http =>
        {
            http.RequestAborted.Register(ended.SetResult);
            asked.SetResult();
            await ended.Task;
        });
        using var leaving = new CancellationTokenSource();
        var sending = bench.Client.PostAsJsonAsync(new Uri("/v1/jobs", UriKind.Relative), new { url = UrlOf("a.png") }, leaving.Token);
        await asked.Task.WaitAsync(GatewayBench.Safety);

        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => sending);
        await ended.Task.WaitAsync(GatewayBench.Safety);
    }

    [Fact]
    public async Task A_deployment_may_fetch_nothing()
    {
        await using var closed = await StartAsync(f => f with { IsOn = false });

        await ShouldFailAsync(UrlOf("a.png"), ErrorCodes.UnsupportedOption, "", closed);
        files.Requests().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_url_does_not_belong_into_the_address()
    {
        using var response = await bench.Client.PostAsync(new Uri("/v1/jobs?url=" + Uri.EscapeDataString(UrlOf("a.png")), UriKind.Relative), GatewayBench.Body(picture));

        (await response.Content.ReadAsStringAsync()).ShouldContain("does not belong into the address");
    }

    private static Task<GatewayBench> StartAsync(Func<FetchSettings, FetchSettings>? change = null)
    {
        var fetch = new FetchSettings { Allowed = [EgressAllowance.Parse("127.0.0.1")] };
        return GatewayBench.StartAsync(s => s with { Fetch = change?.Invoke(fetch) ?? fetch });
    }

    private static RequestDelegate Leading(string location, int status = 302) => http =>
    {
        http.Response.StatusCode = status;
        http.Response.Headers.Location = location;
        return Task.CompletedTask;
    };

    private static List<string?> IdsOf(JsonElement answer) => [.. answer.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("id").GetString())];

    private string UrlOf(string path) => new Uri(files.Address, path).AbsoluteUri;

    private List<string> Kept() => [.. bench.Backend.Blobs.ListAsync("in/", DateTimeOffset.MaxValue, default).ToBlockingEnumerable()];

    private async Task<(int Status, JsonElement Answer)> SendAsync(object body, string? key = null, GatewayBench? to = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/jobs", UriKind.Relative)) { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await (to ?? bench).Client.SendAsync(request);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private async Task ShouldFailAsync(string url, string code, string words, GatewayBench? to = null)
    {
        var (status, answer) = await SendAsync(new { url }, to: to);

        answer.GetProperty("code").GetString().ShouldBe(code, answer.ToString());
        status.ShouldBeInRange(400, 499);
        answer.GetProperty("detail").GetString()!.ShouldContain(words);
        answer.ToString().ShouldNotContain("secret");
        Kept().ShouldBeEmpty();
        (await (to ?? bench).Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(0);
        (to ?? bench).Log.ShouldNotContain(line => line.Contains("secret", StringComparison.Ordinal));
    }
}
