using System.Net;
using Spotter.Core;
using Spotter.Gateway.Telegram;

namespace Spotter.Tests.Telegram;

public sealed class TelegramSettingsTests
{
    private const string Token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

    [Theory]
    [InlineData(Token, true)]
    [InlineData("", false)]
    [InlineData(":abcde", false)]
    [InlineData("abc:defgh", false)]
    [InlineData("123:ab/../c", false)]
    [InlineData("123456", false)]
    public void What_is_a_token(string text, bool isToken) => TelegramSettings.IsToken(text).ShouldBe(isToken);

    [Theory]
    [InlineData("149.154.160.1", "", true)]
    [InlineData("149.154.175.255", "", true)]
    [InlineData("149.154.176.0", "", false)]
    [InlineData("91.108.4.9", "", true)]
    [InlineData("91.108.8.0", "", false)]
    [InlineData("::ffff:91.108.7.255", "", true)]
    [InlineData("8.8.8.8", "91.108.4.9", false)]
    [InlineData("127.0.0.1", "", false)]
    [InlineData("127.0.0.1", "91.108.4.9", true)]
    [InlineData("10.0.0.7", "8.8.8.8, 91.108.4.9", true)]
    [InlineData("10.0.0.7", "91.108.4.9, 8.8.8.8", false)]
    [InlineData("10.0.0.7", "unknown", false)]
    [InlineData("10.0.0.7", "91.108.4.9:4711", true)]
    [InlineData("10.0.0.7", "8.8.8.8:443, 91.108.4.9:4711", true)]
    [InlineData("10.0.0.7", "8.8.8.8:4711", false)]
    [InlineData("10.0.0.7", "91.108.4.9:", false)]
    [InlineData("10.0.0.7", "91.108.4.9:99999", false)]
    [InlineData("10.0.0.7", "[::ffff:91.108.4.9]:443", true)]
    public void Updates_come_from_the_networks_of_Telegram_also_through_a_proxy(string peer, string forwarded, bool isTaken) =>
        TelegramWebhook.IsFrom(TelegramSettings.TelegramNetworks, IPAddress.Parse(peer), forwarded).ShouldBe(isTaken);

    [Theory]
    [InlineData("2001:db8::1", true)]
    [InlineData("[2001:db8::1]", true)]
    [InlineData("[2001:db8::1]:443", true)]
    [InlineData("[2001:db9::1]:443", false)]
    [InlineData("[2001:db8::1]:", false)]
    public void A_proxy_may_say_the_port_of_an_IPv6_address_too(string forwarded, bool isTaken) =>
        TelegramWebhook.IsFrom([IPNetwork.Parse("2001:db8::/32")], IPAddress.Loopback, forwarded).ShouldBe(isTaken);

    [Theory]
    [InlineData("10.0.0.7", "", true)]
    [InlineData("10.0.0.7", "10.0.0.8", true)]
    [InlineData("10.0.0.7", "8.8.8.8", false)]
    [InlineData("10.0.0.7", "unknown", false)]
    [InlineData("192.168.1.7", "", false)]
    public void A_Bot_API_server_of_ones_own_network_needs_no_proxy(string peer, string forwarded, bool isTaken) =>
        TelegramWebhook.IsFrom([IPNetwork.Parse("10.0.0.0/8")], IPAddress.Parse(peer), forwarded).ShouldBe(isTaken);

    [Fact]
    public void The_secret_of_the_webhook_is_as_Telegram_takes_it_and_says_nothing_of_the_token()
    {
        var settings = new TelegramSettings { Token = Token };

        settings.WebhookSecret.Length.ShouldBe(64);
        (settings.WebhookSecret == new TelegramSettings { Token = Token + "x" }.WebhookSecret).ShouldBeFalse();
        (settings.BotId, settings.Box, settings.ToString()).ShouldBe(("123456", "telegram:123456", nameof(TelegramSettings)));
        settings.Redact($"https://api.telegram.org/bot{Token}/getMe").ShouldBe("https://api.telegram.org/bot<token>/getMe");
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        var settings = new TelegramSettings { Token = Token };

        settings.Validate();
        Should.Throw<SpotterException>((settings with { PublicUrl = new Uri("http://a.example") }).Validate).Code.ShouldBe(ErrorCodes.InvalidSettings);
        Should.Throw<SpotterException>((settings with { CertificateFile = "a.pem" }).Validate).Code.ShouldBe(ErrorCodes.InvalidSettings);
        (settings with { PublicUrl = new Uri("http://a.example"), Api = new Uri("http://127.0.0.1:81") }).Validate();
    }

    [Theory]
    [InlineData(5000, 5000, 100, "Photo")]
    [InlineData(5001, 5000, 100, "File")]
    [InlineData(2000, 100, 100, "Photo")]
    [InlineData(2001, 100, 100, "File")]
    [InlineData(100, 2001, 100, "File")]
    [InlineData(100, 100, 10 << 20, "Photo")]
    [InlineData(100, 100, (10 << 20) + 1, "File")]
    [InlineData(0, 0, 100, "File")]
    public void In_which_form_a_picture_is_sent(int width, int height, long bytes, string form) => AnswerPicture.FormOf(width, height, bytes).ToString().ShouldBe(form);

    [Theory]
    [InlineData(AnswerPicture.LargestFile, AnswerPicture.LargestFile, true)]
    [InlineData(AnswerPicture.LargestFile + 1, AnswerPicture.LargestFile, false)]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)]
    public async Task A_picture_is_read_if_there_is_room_for_it(long bytes, long most, bool isRead) =>
        (await AnswerPicture.ReadAsync(new MemoryStream(new byte[bytes]), most, default) is not null).ShouldBe(isRead);
}
