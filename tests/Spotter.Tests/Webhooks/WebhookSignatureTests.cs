using System.Globalization;
using Spotter.Core;
using Spotter.Gateway.Webhooks;

namespace Spotter.Tests.Webhooks;

public sealed class WebhookSignatureTests
{
    private const string Known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public void The_signature_is_the_one_that_other_implementations_make()
    {
        using var request = new HttpRequestMessage();

        WebhookSignature.Sign(
            request.Headers, Read(Known), "msg_p5jXN8AQM9LWM0D4loKWxJek", DateTimeOffset.FromUnixTimeSeconds(1614265330), "{\"test\": 2432232314}"u8);

        request.Headers.GetValues("webhook-id").ShouldBe(["msg_p5jXN8AQM9LWM0D4loKWxJek"]);
        request.Headers.GetValues("webhook-timestamp").ShouldBe(["1614265330"]);
        request.Headers.GetValues("webhook-signature").ShouldBe(["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="]);
    }

    [Fact]
    public void While_a_secret_is_replaced_both_sign()
    {
        var fresh = WebhookSecret.New(RandomSource.System);
        using var request = new HttpRequestMessage();

        WebhookSignature.Sign(request.Headers, Read($"{fresh.Reveal()} {Known}"), "one", DateTimeOffset.UnixEpoch.AddSeconds(7.9), "{}"u8);

        var header = request.Headers.GetValues("webhook-signature").Single();
        header.Split(' ').Length.ShouldBe(2);
        foreach (var secret in (string[])[fresh.Reveal(), Known])
            WebhookEndpoint.Verify(secret, "one", "7", header, "{}"u8.ToArray()).ShouldBeTrue();
        WebhookEndpoint.Verify(WebhookSecret.New(RandomSource.System).Reveal(), "one", "7", header, "{}"u8.ToArray()).ShouldBeFalse();
    }

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_secret_has_24_to_64_bytes(int bytes, bool good) =>
        WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[bytes]), out _).ShouldBe(good);

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_")]
    [InlineData("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void What_is_no_secret_is_none(string text) => WebhookSecret.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void No_more_than_four_sign_at_once()
    {
        WebhookSecret.TryParse(string.Join(' ', Enumerable.Repeat(Known, 4)), out _).ShouldBeTrue();
        WebhookSecret.TryParse(string.Join(' ', Enumerable.Repeat(Known, 5)), out _).ShouldBeFalse();
    }

    [Fact]
    public void Each_endpoint_has_a_secret_of_its_own_that_stays_the_same()
    {
        var master = Read(Known)[0];

        var first = master.For("https://a.example");

        first.Reveal().ShouldBe(master.For("https://a.example").Reveal());
        (first.Reveal() == master.For("https://b.example").Reveal()).ShouldBeFalse();
        (first.Reveal() == Known).ShouldBeFalse();
        Read(first.Reveal()).ShouldHaveSingleItem();
    }

    [Fact]
    public void Nothing_prints_a_secret_by_accident()
    {
        var secret = Read(Known)[0];
        var hidden = Known[WebhookSecret.Prefix.Length..];

        string.Format(CultureInfo.InvariantCulture, "{0} {1}", secret, new WebhookSettings { Secrets = [secret] }).ShouldNotContain(hidden);
    }

    private static IReadOnlyList<WebhookSecret> Read(string text) =>
        WebhookSecret.TryParse(text, out var secrets) ? secrets : throw new FormatException("not a secret");
}
