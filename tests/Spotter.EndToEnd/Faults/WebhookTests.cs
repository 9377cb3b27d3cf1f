using System.Text.Json;
using Spotter.Tests.Webhooks;

namespace Spotter.EndToEnd.Faults;

/// <summary>Webhooks of a real service to a real endpoint, with the service killed at the worst moment.</summary>
public sealed class WebhookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WEBHOOKS__TIMEOUTSECONDS"] = "2",
        ["SPOTTER__WEBHOOKS__LEASESECONDS"] = "3",
        ["SPOTTER__WEBHOOKS__RETRYSECONDS"] = "0.2,0.2,0.2",
    };

    private static readonly string[] Arguments = ["--max-workers", "1", "--lanes", "2", "--callback-allow", "127.0.0.1"];

    [Fact]
    public async Task Killed_between_the_post_and_its_record_the_service_posts_again_with_the_same_id()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var data = folder.File("data");
        SpotterProcess? service = null;
        await using var endpoint = await WebhookEndpoint.StartAsync(async (http, number) =>
        {
            // It has been received; whether it has can no longer be noted.
            if (number == 1)
                await service!.KillAsync();
            http.Response.StatusCode = 200;
        });
        service = await SpotterProcess.StartAsync(data, model, Arguments, Quick);
        try
        {
            string id;
            using (var api = new SpotterApi(service.Address))
            {
                var answer = await api.SubmitAsync([Part.Image(Pictures.Png(200)), Part.Field("callback", endpoint.Url), Part.Field("callback_secret", Secret)]);
                id = SpotterApi.IdOf(answer.Json);
            }
            var first = await endpoint.NextAsync();
            await service.DisposeAsync();

            service = await SpotterProcess.StartAsync(data, model, Arguments, Quick);
            var second = await endpoint.NextAsync();

            (first.Id, second.Id).ShouldBe((id, id));
            second.Body.ShouldBe(first.Body);
            first.IsSignedBy(Secret).ShouldBeTrue();
            second.IsSignedBy(Secret).ShouldBeTrue();
            second.Json.GetProperty("type").GetString().ShouldBe("job.succeeded");
            using var after = new SpotterApi(service.Address);
            var job = await Eventually.SeeAsync("the webhook is delivered", () => after.JobAsync(id), j => StateOfCallback(j) == "delivered");
            job.GetProperty("callback").GetProperty("attempts").GetInt32().ShouldBe(1);
            endpoint.Deliveries.Count.ShouldBe(2);
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_job_that_ended_while_the_endpoint_was_away_is_told_once_it_is_back_even_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var data = folder.File("data");
        var works = false;
        await using var endpoint = await WebhookEndpoint.StartAsync((http, _) =>
        {
            http.Response.StatusCode = Volatile.Read(ref works) ? 200 : 500;
            return Task.CompletedTask;
        });
        var patient = new Dictionary<string, string>(Quick, StringComparer.Ordinal) { ["SPOTTER__WEBHOOKS__RETRYSECONDS"] = "0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5" };
        var service = await SpotterProcess.StartAsync(data, model, Arguments, patient);
        try
        {
            string id;
            using (var api = new SpotterApi(service.Address))
                id = SpotterApi.IdOf((await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("callback", endpoint.Url)])).Json);
            await endpoint.NextAsync();
            (await service.TerminateAsync()).ShouldBe(0);
            await service.DisposeAsync();
            Volatile.Write(ref works, true);

            service = await SpotterProcess.StartAsync(data, model, Arguments, patient);
            using var after = new SpotterApi(service.Address);
            await Eventually.SeeAsync("the webhook is delivered", () => after.JobAsync(id), j => StateOfCallback(j) == "delivered");

            var printed = await SpotterProgram.RunAsync("callbacks", "secret", endpoint.Url, "--data", data);
            printed.Status.ShouldBe(0, printed.Errors);
            endpoint.Deliveries.ShouldAllBe(d => d.Id == id && d.IsSignedBy(printed.Output.Trim()));
            var key = Path.Combine(data, "webhook.key");
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(key).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            service.Log.ShouldNotContain((await File.ReadAllTextAsync(key)).Trim());
            service.Log.ShouldNotContain(printed.Output.Trim());
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task By_default_nothing_is_sent_to_this_machine()
    {
        using var folder = new TemporaryFolder();
        await using var endpoint = await WebhookEndpoint.StartAsync();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1"]);
        using var api = new SpotterApi(service.Address);

        var answer = await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("callback", endpoint.Url)]);

        answer.ShouldBeProblem(422, "callback_forbidden");
        endpoint.Deliveries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--callback-allow", "http://host/")]
    [InlineData("--callback-allow", "127.1")]
    public async Task An_allowance_that_means_nothing_keeps_the_service_from_starting(params string[] arguments)
    {
        using var folder = new TemporaryFolder();

        var run = await SpotterProgram.RunAsync(["serve", "--port", "0", "--data", folder.File("data"), .. arguments]);

        run.Status.ShouldBe(1);
        run.Errors.ShouldContain(arguments[1]);
    }

    private static string? StateOfCallback(JsonElement job) => job.GetProperty("callback").GetProperty("state").GetString();
}
