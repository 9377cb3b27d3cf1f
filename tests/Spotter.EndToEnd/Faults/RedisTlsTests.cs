namespace Spotter.EndToEnd.Faults;

/// <summary>Jobs delivered by a Redis server that speaks TLS only, as those that clouds run.</summary>
public sealed class RedisTlsTests
{
    [RedisFact]
    public async Task A_server_is_spoken_to_by_TLS_where_its_certificate_is_trusted()
    {
        using var folder = new TemporaryFolder();
        using var postgres = PostgresCluster.Start();
        using var redis = RedisInstance.Start(isSecure: true);
        await using var service = await StartAsync(folder, postgres, redis, trusts: true);
        using var api = new SpotterApi(service.Address);

        var job = await api.RunAsync(Pictures.Png(200));

        SpotterApi.StateOf(job).ShouldBe("succeeded");
        service.Log.ShouldNotContain(RedisInstance.Secret);
    }

    [RedisFact]
    public async Task A_server_whose_certificate_nobody_vouches_for_gets_no_password_and_the_log_says_why()
    {
        using var folder = new TemporaryFolder();
        using var postgres = PostgresCluster.Start();
        using var redis = RedisInstance.Start(isSecure: true);

        await using var service = await StartAsync(folder, postgres, redis, trusts: false);
        using var api = new SpotterApi(service.Address);

        // As with a server that is away: jobs are accepted, and none is begun.
        var job = (await api.SubmitAsync(Pictures.Png(200))).Json;

        await Eventually.BeAsync("the log names the certificate", () => service.Log.Contains("certificate", StringComparison.OrdinalIgnoreCase), TimeSpan.FromMinutes(3));
        SpotterApi.StateOf(await api.JobAsync(SpotterApi.IdOf(job))).ShouldBe("queued");
        service.Log.ShouldNotContain(RedisInstance.Secret);
    }

    private static Task<SpotterProcess> StartAsync(TemporaryFolder folder, PostgresCluster postgres, RedisInstance redis, bool trusts)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SPOTTER__POSTGRES__URL"] = postgres.Url,
            ["SPOTTER__REDIS__URL"] = redis.Url,
        };
        if (trusts)
            environment["SSL_CERT_FILE"] = redis.Certificate!;
        return SpotterProcess.StartAsync(
            folder.File("data"), PatchModel.Write(folder.File("patches.onnx")),
            ["--backend", "redis", "--blobs", $"folder:{Directory.CreateDirectory(folder.File("pictures")).FullName}"], environment);
    }
}
