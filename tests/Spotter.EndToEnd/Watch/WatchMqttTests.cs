using System.Text.Json;

namespace Spotter.EndToEnd.Watch;

/// <summary><c>spotter watch</c> and an MQTT broker.</summary>
public sealed class WatchMqttTests(RunningService service) : IClassFixture<RunningService>
{
    private const string Base = "home/cams/front_door/";

    [MosquittoFact]
    public async Task Results_pictures_and_what_Home_Assistant_needs_are_there_for_those_who_come_later()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = Start(broker, camera, "--mqtt-image", "--home-assistant", "--labels", "square,oblong");
        await watch.CountAsync(2);
        await using var early = await Subscriber.ConnectAsync(broker);
        await early.HearAsync(Base + "image");

        await using var late = await Subscriber.ConnectAsync(broker);
        var state = await late.HearAsync(Base + "state");
        state.IsRetained.ShouldBeTrue();
        state.Json.GetProperty("name").GetString().ShouldBe("Front Door");
        state.Json.GetProperty("count").GetInt32().ShouldBe(2);
        state.Json.GetProperty("counts").GetProperty("square").GetInt32().ShouldBe(1);
        state.Json.GetProperty("objects")[0].GetProperty("box").GetProperty("x1").ValueKind.ShouldBe(JsonValueKind.Number);
        (await service.Api.JobAsync(state.Json.GetProperty("job").GetString()!)).GetProperty("state").GetString().ShouldBe("succeeded");
        (await late.HearAsync(Base + "availability")).ShouldSatisfyAllConditions(m => m.Text.ShouldBe("online"), m => m.IsRetained.ShouldBeTrue());
        var image = await late.HearAsync(Base + "image");
        image.IsRetained.ShouldBeTrue();
        image.Payload[..2].ShouldBe([0xFF, 0xD8]);
        image.Payload.ShouldNotBe(Pictures.Jpeg(camera.Shade));

        foreach (var topic in (string[])["sensor/spotter_front_door/objects", "binary_sensor/spotter_front_door/square_occupancy", "binary_sensor/spotter_front_door/oblong_occupancy", "image/spotter_front_door/picture"])
            (await late.HearAsync($"homeassistant/{topic}/config")).IsRetained.ShouldBeTrue();

        // It says good-bye itself.
        (await watch.StopAsync(TimeSpan.FromSeconds(10))).ShouldBe(0);
        await late.HearAsync(Base + "availability", m => m.Text == "offline");
        watch.Errors.ShouldBeEmpty();
    }

    [MosquittoFact]
    public async Task A_program_that_is_killed_is_offline_by_its_last_will()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = Start(broker, camera);
        await using var subscriber = await Subscriber.ConnectAsync(broker);
        await subscriber.HearAsync(Base + "availability", m => m.Text == "online");

        await watch.KillAsync();

        await subscriber.HearAsync(Base + "availability", m => m.Text == "offline");
    }

    [MosquittoFact]
    public async Task While_the_camera_is_away_it_is_offline()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = Start(broker, camera);
        await using var subscriber = await Subscriber.ConnectAsync(broker);
        await subscriber.HearAsync(Base + "availability", m => m.Text == "online");

        await camera.GoAwayAsync();
        await subscriber.HearAsync(Base + "availability", m => m.Text == "offline");
        subscriber.Forget();
        await camera.ComeBackAsync();
        await subscriber.HearAsync(Base + "availability", m => m.Text == "online");
    }

    [MosquittoFact]
    public async Task A_broker_that_is_killed_and_started_again_is_told_everything_again()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var camera = await HttpCamera.StartAsync();
        await using var watch = Start(broker, camera, "--home-assistant");
        await using (var first = await Subscriber.ConnectAsync(broker))
            await first.HearAsync(Base + "state");

        await broker.KillAsync();
        await watch.HearAsync("the broker mqtt://127.0.0.1:");
        var before = watch.Output.Count;
        await watch.CountAsync(before + 3);
        camera.Shade = 20;
        await watch.SeeAsync("a dark picture", r => WatchCameraTests.Count(r, "square") == 0);
        await broker.StartAgainAsync();

        await using var again = await Subscriber.ConnectAsync(broker);
        await again.HearAsync(Base + "state", m => WatchCameraTests.Count(m.Json, "square") == 0);
        await again.HearAsync(Base + "availability", m => m.Text == "online");
        await again.HearAsync("homeassistant/sensor/spotter_front_door/objects/config");
        await watch.HearAsync("is back.");
        watch.Errors.Count.ShouldBe(2, string.Join('\n', watch.Errors));
    }

    [MosquittoFact]
    public async Task A_broker_that_asks_for_a_password_gets_it_and_a_wrong_one_ends_it()
    {
        await using var broker = await Mosquitto.StartAsync(BrokerAccess.Password);
        await using var camera = await HttpCamera.StartAsync();
        var good = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WATCH__MQTTPASSWORD"] = Mosquitto.Password };
        await using var watch = WatchProcess.StartWith(good, service.Process.Address, Arguments(broker, camera));
        await using var subscriber = await Subscriber.ConnectAsync(broker, withPassword: true);
        await subscriber.HearAsync(Base + "state");
        (await watch.StopAsync(TimeSpan.FromSeconds(10))).ShouldBe(0);

        var bad = new Dictionary<string, string>(StringComparer.Ordinal) { ["SPOTTER__WATCH__MQTTPASSWORD"] = "hunter2" };
        await using var wrong = WatchProcess.StartWith(bad, service.Process.Address, Arguments(broker, camera));
        (await wrong.ExitAsync()).ShouldBe(1);
        wrong.Errors.ShouldHaveSingleItem().ShouldContain("refuses the user and password");
        wrong.Errors[0].ShouldNotContain("hunter2");
    }

    [MosquittoFact]
    public async Task A_broker_with_TLS_has_to_be_trusted()
    {
        await using var broker = await Mosquitto.StartAsync(BrokerAccess.Tls);
        await using var camera = await HttpCamera.StartAsync();
        await using (var careful = Start(broker, camera))
            await careful.HearAsync("certificate");

        var trusting = new Dictionary<string, string>(StringComparer.Ordinal) { ["SSL_CERT_FILE"] = broker.Certificate };
        await using var watch = WatchProcess.StartWith(trusting, service.Process.Address, [.. Arguments(broker, camera), "--count", "2"]);
        (await watch.ExitAsync()).ShouldBe(0, string.Join('\n', watch.Errors));
        watch.Errors.ShouldBeEmpty();
    }

    private WatchProcess Start(Mosquitto broker, HttpCamera camera, params string[] more) => WatchProcess.Start(service.Process.Address, [.. Arguments(broker, camera), .. more]);

    private static IEnumerable<string> Arguments(Mosquitto broker, HttpCamera camera) =>
        [camera.Url, "--json", "--every", "0.3", "--name", "Front Door", "--mqtt", broker.Url, "--mqtt-topic", "home/cams"];
}
