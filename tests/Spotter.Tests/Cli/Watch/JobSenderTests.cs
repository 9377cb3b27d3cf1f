using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Spotter.Cli.Remote;
using Spotter.Cli.Watch;
using Spotter.Core;
using Spotter.Tests.Webhooks;

namespace Spotter.Tests.Cli.Watch;

/// <summary>What a picture's sender makes of the answers of a service.</summary>
public sealed class JobSenderTests : IAsyncLifetime
{
    private const string Ended = """{"id": "0123", "state": "succeeded"}""";

    private static readonly Frame Old = new("old.jpg", "old"u8.ToArray(), default);
    private static readonly Frame New = new("new.jpg", "new"u8.ToArray(), default);

    private readonly ManualClock clock = new();
    private readonly List<string> said = [];
    private readonly Queue<(int Status, string Body, int? RetryAfter)> answers = new();
    private WebhookEndpoint server = null!;
    private ServiceClient service = null!;
    private Connection connection = null!;
    private JobSender sender = null!;

    public async Task InitializeAsync()
    {
        server = await WebhookEndpoint.StartAsync(AnswerAsync);
        service = new ServiceClient(server.Address, key: null, connections: 2);
        connection = new("the service", new Backoff(RandomSource.Seeded(1)), said.Add, clock);
        sender = new(service, [new("labels", "person,car")], connection, RandomSource.Seeded(1), clock);
    }

    public async Task DisposeAsync()
    {
        service.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_picture_is_sent_with_a_key_and_its_fields_and_waited_for()
    {
        answers.Enqueue((200, Ended, null));

        var sent = await sender.SendAsync(Old, old => old, default);

        sent.Job!.Id.ShouldBe("0123");
        var (path, key, body) = Asked.ShouldHaveSingleItem();
        path.ShouldBe("POST /v1/jobs wait=30");
        key!.Length.ShouldBe(32);
        body.ShouldContain("person,car");
        body.ShouldContain("old.jpg");
        said.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_takes_longer_is_looked_at_until_it_has_ended()
    {
        answers.Enqueue((202, """{"id": "0123", "state": "queued"}""", null));
        answers.Enqueue((200, """{"id": "0123", "state": "running"}""", null));
        answers.Enqueue((200, Ended, null));

        (await RunAsync()).Job!.State.ShouldBe("succeeded");
        Asked.Select(a => a.Path).ShouldBe((string[])["POST /v1/jobs wait=30", "GET /v1/jobs/0123 ", "GET /v1/jobs/0123 "]);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_busy_service_is_left_alone_as_long_as_it_asks(int status)
    {
        answers.Enqueue((status, """{"code": "busy", "detail": "Too much at once."}""", 17));
        answers.Enqueue((200, Ended, null));
        var sending = sender.SendAsync(Old, old => old, default);

        await clock.WaitForTimersAsync();
        clock.UntilNextTimer.ShouldBe(TimeSpan.FromSeconds(17));
        Asked.Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(17));
        (await sending).Job.ShouldNotBeNull();

        Asked.Count.ShouldBe(2);
        Asked[1].Key.ShouldBe(Asked[0].Key);
        said.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_stays_busy_is_said_once()
    {
        for (var i = 0; i < 5; i++)
            answers.Enqueue((503, """{"code": "busy", "detail": "Too much at once."}""", 1));
        answers.Enqueue((200, Ended, null));

        (await RunAsync()).Job.ShouldNotBeNull();
        said.ShouldBe(["the service can't be used (Too much at once); it is tried again until it can.", "the service is back."]);
    }

    [Fact]
    public async Task While_it_is_not_known_to_be_accepted_a_newer_picture_takes_its_place_under_a_key_of_its_own()
    {
        answers.Enqueue((503, """{"code": "busy", "detail": "Too much at once."}""", 1));
        answers.Enqueue((200, Ended, null));

        (await RunAsync(_ => New)).Frame.ShouldBeSameAs(New);
        Asked[1].Body.ShouldContain("new.jpg");
        (Asked[1].Key == Asked[0].Key).ShouldBeFalse();
    }

    [Fact]
    public async Task A_damaged_picture_is_told_and_the_service_is_none_the_worse()
    {
        answers.Enqueue((415, """{"code": "unsupported_image", "detail": "These bytes are no picture."}""", null));

        var sent = await RunAsync();

        sent.Job.ShouldBeNull();
        sent.Problem!.Code.ShouldBe("unsupported_image");
        said.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_it_refuses_from_the_start_is_a_mistake_and_later_it_passes()
    {
        const string Refusal = """{"code": "unknown_model", "detail": "There is no model 'x'; name another one."}""";
        answers.Enqueue((422, Refusal, null));
        (await Should.ThrowAsync<SpotterException>(RunAsync())).Message.ShouldBe("There is no model 'x'; name another one.");

        connection.Works();
        answers.Enqueue((422, Refusal, null));
        answers.Enqueue((200, Ended, null));
        (await RunAsync()).Job.ShouldNotBeNull();
        said.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_is_forgotten_is_given_up()
    {
        answers.Enqueue((202, """{"id": "0123", "state": "queued"}""", null));
        answers.Enqueue((404, """{"code": "not_found", "detail": "There is no job 0123."}""", null));

        var sent = await RunAsync();

        (sent.Job, sent.Lost).ShouldBe((null, "0123"));
    }

    private List<(string Path, string? Key, string Body)> Asked =>
        [.. server.Deliveries.Select(d => ($"{d.Method} {d.Target} {d.Headers.GetValueOrDefault("Prefer")}", d.Headers.GetValueOrDefault("Idempotency-Key"), Encoding.UTF8.GetString(d.Body)))];

    /// <summary>Sends a picture; time passes as fast as it is waited for.</summary>
    private async Task<Sent> RunAsync(Func<Frame, Frame>? newer = null)
    {
        var sending = sender.SendAsync(Old, newer ?? (old => old), default);
        while (await Task.WhenAny(sending, clock.WaitForTimersAsync()) != sending)
            clock.Advance(clock.UntilNextTimer ?? TimeSpan.Zero);
        return await sending;
    }

    private async Task AnswerAsync(HttpContext http, int number)
    {
        var (status, body, retryAfter) = answers.Dequeue();
        http.Response.StatusCode = status;
        if (retryAfter is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await http.Response.WriteAsync(body);
    }
}
