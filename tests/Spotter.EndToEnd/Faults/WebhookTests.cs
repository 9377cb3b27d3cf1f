using System.Text.Json;
using Spotter.Tests.Notices;

namespace Spotter.EndToEnd.Faults;

/// <summary>Notices of a real service to a real receiver, with the service killed at the worst moment.</summary>
public sealed class WebhookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly Dictionary<string, string> Quick = new(StringComparer.Ordinal)
    {
        ["SPOTTER__WEBHOOKS__TIMEOUTSECONDS"] = "2",
        ["SPOTTER__WEBHOOKS__HOLDSECONDS"] = "3",
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
        await using var receiver = await Receiver.StartAsync(async (http, number) =>
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
                var answer = await api.SubmitAsync([Part.Image(Pictures.Png(200)), Part.Field("callback", receiver.Url), Part.Field("callback_secret", Secret)]);
                id = SpotterApi.IdOf(answer.Json);
            }
            var first = await receiver.NextAsync();
            await service.DisposeAsync();

            service = await SpotterProcess.StartAsync(data, model, Arguments, Quick);
            var second = await receiver.NextAsync();

            (first.Id, second.Id).ShouldBe((id, id));
            second.Body.ShouldBe(first.Body);
            first.IsSignedBy(Secret).ShouldBeTrue();
            second.IsSignedBy(Secret).ShouldBeTrue();
            second.Json.GetProperty("type").GetString().ShouldBe("job.succeeded");
            using var after = new SpotterApi(service.Address);
            var job = await Eventually.SeeAsync("the notice is delivered", () => after.JobAsync(id), j => StateOfNotice(j) == "delivered");
            job.GetProperty("callback").GetProperty("attempts").GetInt32().ShouldBe(1);
            receiver.Deliveries.Count.ShouldBe(2);
        }
        finally
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_job_that_ended_while_the_receiver_was_away_is_told_once_it_is_back_even_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        var model = PatchModel.Write(folder.File("patches.onnx"));
        var data = folder.File("data");
        var works = false;
        await using var receiver = await Receiver.StartAsync((http, _) =>
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
                id = SpotterApi.IdOf((await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("callback", receiver.Url)])).Json);
            await receiver.NextAsync();
            (await service.TerminateAsync()).ShouldBe(0);
            await service.DisposeAsync();
            Volatile.Write(ref works, true);

            service = await SpotterProcess.StartAsync(data, model, Arguments, patient);
            using var after = new SpotterApi(service.Address);
            await Eventually.SeeAsync("the notice is delivered", () => after.JobAsync(id), j => StateOfNotice(j) == "delivered");

            var printed = await SpotterProgram.RunAsync("callbacks", "secret", receiver.Url, "--data", data);
            printed.Status.ShouldBe(0, printed.Errors);
            receiver.Deliveries.ShouldAllBe(d => d.Id == id && d.IsSignedBy(printed.Output.Trim()));
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
        await using var receiver = await Receiver.StartAsync();
        await using var service = await SpotterProcess.StartAsync(folder.File("data"), PatchModel.Write(folder.File("patches.onnx")), ["--max-workers", "1"]);
        using var api = new SpotterApi(service.Address);

        var answer = await api.SubmitAsync([Part.Image(Pictures.Png(90)), Part.Field("callback", receiver.Url)]);

        answer.ShouldBeProblem(422, "callback_forbidden");
        receiver.Deliveries.ShouldBeEmpty();
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

    private static string? StateOfNotice(JsonElement job) => job.GetProperty("callback").GetProperty("state").GetString();
}
