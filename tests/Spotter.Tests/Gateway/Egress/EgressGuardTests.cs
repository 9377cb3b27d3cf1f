using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Spotter.Core;
using Spotter.Gateway.Egress;
using Spotter.Gateway.Webhooks;
using Spotter.Jobs;
using Spotter.Tests.Http;
using Spotter.Tests.Webhooks;
using Xunit.Abstractions;

namespace Spotter.Tests.Gateway.Egress;

public sealed class EgressGuardTests(ITestOutputHelper output)
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static readonly EgressGuard Guard = Resolving();

    [Theory]
    [InlineData("https://example.com/hook?x=1&y=%20")]
    [InlineData("https://example.com")]
    [InlineData("HTTPS://EXAMPLE.COM:443/a@b")]
    [InlineData("https://example.com./")]
    [InlineData("https://xn--bcher-kva.example/")]
    [InlineData("https://a_b.example.com/")]
    [InlineData("https://93.184.216.34/")]
    [InlineData("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/")]
    public void A_public_endpoint_over_https_is_let_through(string url) => Guard.Check(url).Scheme.ShouldBe("https");

    [Theory]
    [InlineData("http://example.com/")]
    [InlineData("http://example.com:443/")]
    [InlineData("https://example.com:8443/")]
    [InlineData("https://example.com:0/")]
    [InlineData("https://example.com:65536/")]
    [InlineData("https://example.com:/")]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://example.com/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("//example.com/")]
    [InlineData("example.com")]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("https:///path")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:password@example.com/")]
    [InlineData("https://@example.com/")]
    [InlineData("https://example.com/#fragment")]
    [InlineData("https://example.com\\@example.org/")]
    [InlineData("https://example.com/a\\b")]
    [InlineData(" https://example.com/")]
    [InlineData("https://example.com/ ")]
    [InlineData("https://example.com/\r\nHost: other")]
    [InlineData("https://exa mple.com/")]
    [InlineData("https://exämple.com/")]
    [InlineData("https://example。com/")]
    [InlineData("https://ex%61mple.com/")]
    [InlineData("https://-example.com/")]
    [InlineData("https://example..com/")]
    [InlineData("https://.example.com/")]
    public void What_is_not_plainly_https_to_a_host_is_refused(string url) => ShouldBeRefused(Guard, url);

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST.")]
    [InlineData("a.localhost")]
    [InlineData("printer.local")]
    [InlineData("host.localdomain")]
    [InlineData("metadata")]
    [InlineData("metadata.google.internal")]
    [InlineData("METADATA.GOOGLE.INTERNAL.")]
    [InlineData("instance-data.ec2.internal")]
    [InlineData("kubernetes")]
    [InlineData("kubernetes.default.svc")]
    [InlineData("kubernetes.default.svc.cluster.local")]
    [InlineData("router.home.arpa")]
    [InlineData("1.0.0.127.in-addr.arpa")]
    [InlineData("nas.lan")]
    public void Names_that_mean_something_only_inside_are_refused(string host) => ShouldBeRefused(Guard, $"https://{host}/");

    [Fact]
    public async Task However_an_inner_address_is_spelled_it_is_refused_and_never_dialled()
    {
        using var counting = new CountingListener(IPAddress.Loopback);
        // Whatever a name is, it leads to the listener; and as its port is open for a name, only the addresses keep it shut.
        var open = Resolving(["open.example"], IPAddress.Loopback);
        using var client = new WebhookClient(open, new WebhookSettings(), TimeProvider.System);
        WebhookSecret.TryParse(Secret, out var secrets).ShouldBeTrue();
        var spellings = InnerAddresses.Spellings().Distinct(StringComparer.Ordinal).ToList();

        foreach (var host in spellings)
        {
            ShouldBeRefused(Guard, $"https://{host}/");
            ShouldBeRefused(Guard, string.Create(CultureInfo.InvariantCulture, $"http://{host}:{counting.Port}/"));
            // And if it had slipped through there:
            if (Uri.TryCreate(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{counting.Port}/"), UriKind.Absolute, out var slipped))
            {
                await Should.ThrowAsync<Exception>(() => Resolving([], IPAddress.Loopback).ResolveAsync(slipped.DnsSafeHost, 443, default), host);
                StatusOf(await PostAsync(client, slipped, secrets, TimeSpan.FromSeconds(5))).ShouldBeNull(host);
            }
        }

        spellings.Count.ShouldBeGreaterThanOrEqualTo(250);
        counting.Connects.ShouldBe(0);
        output.WriteLine($"{spellings.Count} spellings, {counting.Connects} connects");

        // The listener does count.
        using var allowed = new WebhookClient(Resolving(["127.0.0.1"]), new WebhookSettings(), TimeProvider.System);
        (await PostAsync(allowed, new Uri($"http://127.0.0.1:{counting.Port}/"), secrets, TimeSpan.FromSeconds(1))).ShouldBeNull();
        counting.Connects.ShouldBe(1);
    }

    [Fact]
    public void Of_random_IPv4_addresses_only_public_ones_pass_and_only_as_they_are_usually_written()
    {
        var property = Prop.ForAll(Gen.Choose(0, 255).ArrayOf(4).ToArbitrary(), parts =>
        {
            var bytes = Array.ConvertAll(parts, p => (byte)p);
            var address = new IPAddress(bytes);
            var number = ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
            var plain = Passes($"https://{address}/");
            // Odd spellings never do, wherever they lead.
            return plain == PublicAddresses.Contains(address)
                && !Passes($"https://{number}/") && !Passes($"https://0x{number:x8}/") && !Passes($"https://[::ffff:{address}]/") && !Passes($"https://{address}./");
        });
        Check.QuickThrowOnFailure(property);
    }

    [Theory]
    [InlineData("9.255.255.255", true)]
    [InlineData("10.0.0.0", false)]
    [InlineData("10.255.255.255", false)]
    [InlineData("11.0.0.0", true)]
    [InlineData("100.63.255.255", true)]
    [InlineData("100.64.0.0", false)]
    [InlineData("100.127.255.255", false)]
    [InlineData("100.128.0.0", true)]
    [InlineData("126.255.255.255", true)]
    [InlineData("128.0.0.0", true)]
    [InlineData("169.253.255.255", true)]
    [InlineData("169.254.0.0", false)]
    [InlineData("169.255.0.0", true)]
    [InlineData("172.15.255.255", true)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.0", true)]
    [InlineData("192.0.1.0", true)]
    [InlineData("192.0.2.1", false)]
    [InlineData("192.88.99.1", false)]
    [InlineData("192.167.255.255", true)]
    [InlineData("192.169.0.0", true)]
    [InlineData("198.17.255.255", true)]
    [InlineData("198.19.255.255", false)]
    [InlineData("198.20.0.0", true)]
    [InlineData("223.255.255.255", true)]
    [InlineData("239.1.1.1", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("2001:4860:4860::8888", true)]
    [InlineData("2001:200::1", true)]
    [InlineData("2001:1ff::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("1fff::1", false)]
    [InlineData("4000::1", false)]
    [InlineData("3fff::1", false)]
    public void The_borders_of_what_is_public_are_where_they_should_be(string address, bool isPublic) =>
        PublicAddresses.Contains(IPAddress.Parse(address)).ShouldBe(isPublic);

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("64:ff9b::7f00:1")]
    public async Task A_public_name_that_leads_inside_is_blocked_even_if_it_also_leads_outside(string inner)
    {
        var guard = Resolving([], IPAddress.Parse("93.184.216.34"), IPAddress.Parse(inner));

        guard.Check("https://rebinding.example/");

        await Should.ThrowAsync<EgressBlockedException>(() => guard.ResolveAsync("rebinding.example", 443, default));
    }

    [Fact]
    public async Task The_address_that_was_looked_at_is_the_one_that_is_dialled()
    {
        using var counting = new CountingListener(IPAddress.Loopback);
        var asked = 0;
        // Leads to an address that is allowed when it is looked at, and to another one if it were asked again.
        var guard = new EgressGuard(
            EgressUse.Webhooks,
            [EgressAllowance.Parse($"127.0.0.1:{counting.Port}")],
            (_, _) => Task.FromResult<IPAddress[]>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("127.0.0.2")]));
        using var client = new WebhookClient(guard, new WebhookSettings(), TimeProvider.System);
        WebhookSecret.TryParse(Secret, out var secrets).ShouldBeTrue();
        var target = new Uri($"http://rebinding.example:{counting.Port}/");

        // Not open by name, so the port alone is refused.
        (await PostAsync(client, target, secrets, TimeSpan.FromSeconds(1))).ShouldBeOfType<DeliveryOutcome.GivenUp>().Detail.ShouldStartWith("blocked");
        asked.ShouldBe(0);

        var open = new EgressGuard(
            EgressUse.Webhooks,
            [EgressAllowance.Parse("rebinding.example")],
            (_, _) => Task.FromResult<IPAddress[]>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("169.254.169.254")]));
        using var second = new WebhookClient(open, new WebhookSettings(), TimeProvider.System);
        await PostAsync(second, target, secrets, TimeSpan.FromSeconds(1));
        asked.ShouldBe(1);
        counting.Connects.ShouldBe(1);
        (await PostAsync(second, target, secrets, TimeSpan.FromSeconds(1))).ShouldBeOfType<DeliveryOutcome.GivenUp>().Detail.ShouldStartWith("blocked");
        counting.Connects.ShouldBe(1);
    }

    [Theory]
    [InlineData("endpoint.internal", "http://endpoint.internal:8080/x", true)]
    [InlineData("endpoint.internal:8080", "http://endpoint.internal:8080/x", true)]
    [InlineData("endpoint.internal:8080", "http://endpoint.internal:8081/x", false)]
    [InlineData("endpoint.internal:8080", "http://other.internal:8080/x", false)]
    [InlineData("Endpoint.Internal.", "http://endpoint.INTERNAL./", true)]
    [InlineData("*.svc.cluster.local", "http://hook.team.svc.cluster.local:9000/", true)]
    [InlineData("*.svc.cluster.local", "http://svc.cluster.local:9000/", false)]
    [InlineData("*.svc.cluster.local", "http://evilsvc.cluster.local/", false)]
    [InlineData("localhost", "http://localhost:5000/", true)]
    [InlineData("127.0.0.1", "http://127.0.0.1:5000/", true)]
    [InlineData("127.0.0.1", "http://127.0.0.2:5000/", false)]
    [InlineData("127.0.0.1", "http://2130706433:5000/", false)]
    [InlineData("127.0.0.1", "http://localhost:5000/", false)]
    [InlineData("10.0.0.0/8", "http://10.1.2.3:8080/", true)]
    [InlineData("10.0.0.0/8:8080", "http://10.1.2.3:8080/", true)]
    [InlineData("10.0.0.0/8:8080", "http://10.1.2.3/", false)]
    [InlineData("10.0.0.0/8", "http://11.1.2.3:8080/", false)]
    [InlineData("::1", "http://[::1]:8080/", true)]
    [InlineData("[::1]:8080", "http://[0:0::1]:8080/", true)]
    [InlineData("[::1]:8080", "http://[::1]:8081/", false)]
    [InlineData("fd00::/8", "https://[fd12::1]/", true)]
    [InlineData("example.com:8443", "https://example.com:8443/", true)]
    public void What_was_allowed_is_let_through_and_nothing_beside_it(string allowed, string url, bool through)
    {
        var guard = Resolving([allowed]);
        if (through)
            guard.Check(url);
        else
            ShouldBeRefused(guard, url);
    }

    [Fact]
    public async Task A_name_that_was_allowed_may_lead_inside_but_not_to_where_clouds_keep_their_keys()
    {
        (await Resolving(["hook.internal"], IPAddress.Parse("10.1.2.3")).ResolveAsync("hook.internal", 8080, default)).ShouldHaveSingleItem();
        foreach (var address in (string[])["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1", "100.100.100.200", "168.63.129.16", "0.0.0.0"])
            await Should.ThrowAsync<EgressBlockedException>(() => Resolving(["hook.internal"], IPAddress.Parse(address)).ResolveAsync("hook.internal", 8080, default), address);
    }

    [Theory]
    [MemberData(nameof(MetadataInEveryForm))]
    public async Task No_allow_list_opens_where_clouds_keep_their_keys_whatever_form_the_address_has(string address)
    {
        var target = IPAddress.Parse(address);
        var host = target.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address;
        var open = Resolving(["hook.internal", "0.0.0.0/0", "::/0"], target);

        await Should.ThrowAsync<EgressBlockedException>(() => open.ResolveAsync("hook.internal", 8080, default));
        await Should.ThrowAsync<EgressBlockedException>(() => open.ResolveAsync(address, 8080, default));
        ShouldBeRefused(open, $"http://{host}:8080/");
        ShouldBeRefused(open, $"https://{host}/");
        Should.Throw<SpotterException>(() => EgressAllowance.Parse(address)).Code.ShouldBe(ErrorCodes.InvalidSettings);
        // By nothing else is it a public one.
        PublicAddresses.Contains(target).ShouldBeFalse();
    }

    [Theory]
    [InlineData("::1")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("64:ff9b::10.1.2.3")]
    [InlineData("64:ff9b:1::10.1.2.3")]
    [InlineData("fd00::1")]
    public async Task A_name_that_was_allowed_still_leads_to_other_inner_addresses(string address) =>
        (await Resolving(["hook.internal"], IPAddress.Parse(address)).ResolveAsync("hook.internal", 8080, default)).ShouldHaveSingleItem();

    [Theory]
    [InlineData("2600:1f00::5efe:a00:1", false)]
    [InlineData("2600:1f00::200:5efe:7f00:1", false)]
    [InlineData("2600:1f00::200:5efe:5db8:d822", true)]
    public void An_address_within_a_public_one_is_judged_too(string address, bool isPublic) => PublicAddresses.Contains(IPAddress.Parse(address)).ShouldBe(isPublic);

    public static TheoryData<string> MetadataInEveryForm() => [.. InnerAddresses.Metadata()];

    [Theory]
    [InlineData("")]
    [InlineData(":80")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:http")]
    [InlineData("https://host")]
    [InlineData("host/path")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.1/8")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("*")]
    [InlineData("a.*.example")]
    [InlineData("user@host")]
    public void What_can_not_be_allowed_is_said_at_start(string text)
    {
        var refusal = Should.Throw<SpotterException>(() => EgressAllowance.Parse(text));
        refusal.Code.ShouldBe(ErrorCodes.InvalidSettings);
    }

    private static EgressGuard Resolving(string[]? allowed = null, params IPAddress[] addresses) =>
        new(EgressUse.Webhooks, [.. (allowed ?? []).Select(EgressAllowance.Parse)], (_, _) => Task.FromResult(addresses));

    private static bool Passes(string url)
    {
        try
        {
            Guard.Check(url);
            return true;
        }
        catch (SpotterException)
        {
            return false;
        }
    }

    /// <summary>What came of an attempt; null when there was no answer in time.</summary>
    private static async Task<DeliveryOutcome?> PostAsync(WebhookClient client, Uri url, IReadOnlyList<WebhookSecret> secrets, TimeSpan within)
    {
        using var late = new CancellationTokenSource(within);
        try
        {
            return await client.PostAsync(url, "id", [], secrets, late.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return null;
        }
    }

    private static int? StatusOf(DeliveryOutcome? outcome) => outcome switch
    {
        DeliveryOutcome.Delivered delivered => delivered.Status,
        DeliveryOutcome.Again again => again.Status,
        DeliveryOutcome.GivenUp given => given.Status,
        _ => null,
    };

    private static void ShouldBeRefused(EgressGuard guard, string url)
    {
        var refusal = Should.Throw<SpotterException>(() => guard.Check(url), url);
        refusal.Code.ShouldBe(ErrorCodes.CallbackForbidden);
        refusal.Message.ShouldEndWith(".");
    }

}
