using System.Globalization;
using Spotter.Backends.Redis;
using Spotter.Core;

namespace Spotter.Tests.Jobs;

/// <summary>What an address means, and what is said of a server that can't be used: never the password.</summary>
public sealed class RedisAddressTests
{
    [Theory]
    [InlineData("redis://redis.example", "redis.example:6379/0", null, null)]
    [InlineData(" redis://me:p%40ss%3Aword%23@redis.example:6380/3 ", "redis.example:6380/3", "me", "p@ss:word#")]
    [InlineData("redis://:secret@127.0.0.1/", "127.0.0.1:6379/0", null, "secret")]
    [InlineData("redis://:secret@[::1]:7000/1", "[::1]:7000/1", null, "secret")]
    public void Addresses_are_read_as_redis_cli_writes_them(string address, string place, string? user, string? password)
    {
        var options = RedisAddress.Parse(address);

        (RedisAddress.Describe(options), options.User, options.Password, options.Ssl).ShouldBe((place, user, password, false));
        options.AbortOnConnectFail.ShouldBeFalse("a server that is away keeps no gateway from starting");
    }

    [Fact]
    public void Tls_keeps_to_the_server_and_asks_for_its_name()
    {
        var options = RedisAddress.Parse("rediss://:secret@redis.example:6380/0");

        options.Ssl.ShouldBeTrue();
        var tls = options.SslClientAuthenticationOptions!("redis.example");
        (tls.TargetHost, tls.CertificateChainPolicy!.DisableCertificateDownloads).ShouldBe(("redis.example", true));
    }

    [Theory]
    [InlineData("http://:wrong-secret@redis.example")]
    [InlineData("redis.example:6379,password=wrong-secret")]
    [InlineData("redis://:wrong-secret@redis.example/jobs")]
    [InlineData("redis://:wrong-secret@redis.example/0?password=wrong-secret")]
    [InlineData("redis://:wrong-secret#@redis.example/0")]
    [InlineData("wrong-secret")]
    [InlineData("")]
    public void An_address_that_is_no_good_is_refused_without_saying_the_password(string address)
    {
        var refusal = Should.Throw<SpotterException>(() => RedisAddress.Parse(address));

        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
        refusal.ToString().ShouldNotContain("wrong-secret");
    }
}

/// <summary>What the doctor says of a server.</summary>
[NeedsRedis]
public sealed class RedisProbeTests(RedisServer redis) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task A_server_that_answers_is_named_with_its_version()
    {
        var found = await RedisBackend.ProbeAsync(redis.Instance.Url);

        found.IsWrong.ShouldBeFalse(found.Detail);
        found.Detail.ShouldMatch($@"^Redis \d+\.\d+\.\d+ at 127\.0\.0\.1:{redis.Instance.Port}/0$");
    }

    [Theory]
    [InlineData("redis://:wrong-secret@127.0.0.1:{port}/0", "refuses the user or the password")]
    [InlineData("redis://127.0.0.1:{port}/0", "refuses the user or the password")]
    [InlineData("rediss://:wrong-secret@127.0.0.1:{port}/0", "takes encrypted connections")]
    [InlineData("redis://:wrong-secret@127.0.0.1:1/0", "can't be reached")]
    [InlineData("redis://:wrong-secret@127.0.0.1/jobs", "number of a database")]
    public async Task What_is_wrong_is_said_without_the_password(string address, string why)
    {
        var found = await RedisBackend.ProbeAsync(address.Replace("{port}", redis.Instance.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

        found.IsWrong.ShouldBeTrue();
        found.Detail.ShouldContain(why);
        found.Detail.ShouldNotContain("wrong-secret");
    }
}
