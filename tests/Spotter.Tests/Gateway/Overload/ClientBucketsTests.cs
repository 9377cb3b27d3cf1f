using System.Net;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;

namespace Spotter.Tests.Gateway.Overload;

public sealed class ClientBucketsTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void A_burst_is_let_through_and_then_the_rate()
    {
        var buckets = new ClientBuckets(clock);
        for (var i = 0; i < 50; i++)
            buckets.Take("a", 1, 10, 50).ShouldBeNull();
        buckets.Take("a", 1, 10, 50)!.Value.TotalSeconds.ShouldBe(0.1, 1e-6);
        buckets.Take("b", 1, 10, 50).ShouldBeNull();

        var taken = 0;
        for (var i = 0; i < 1000; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            taken += buckets.Take("a", 1, 10, 50) is null ? 1 : 0;
        }
        taken.ShouldBe(100);
    }

    [Fact]
    public void Who_is_turned_away_pays_nothing()
    {
        var buckets = new ClientBuckets(clock);
        buckets.Take("a", 1, 1, 1).ShouldBeNull();
        for (var i = 0; i < 100; i++)
            buckets.Take("a", 1, 1, 1).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromSeconds(1));
        buckets.Take("a", 1, 1, 1).ShouldBeNull();
    }

    [Fact]
    public void Cheap_calls_take_less()
    {
        var buckets = new ClientBuckets(clock);
        for (var i = 0; i < 500; i++)
            buckets.Take("a", 0.1, 10, 50).ShouldBeNull();
        buckets.Take("a", 0.1, 10, 50).ShouldNotBeNull();
    }

    [Fact]
    public void Memory_is_bounded_by_those_who_came_lately()
    {
        var buckets = new ClientBuckets(clock, mostClients: 100);
        for (var i = 0; i < 1000; i++)
            buckets.Take($"c{i}", 1, 1, 1);
        buckets.Count.ShouldBe(100);
        // Those beyond share a bucket, which is empty, and so take nothing from those that are known.
        buckets.Take("late", 1, 1, 1).ShouldNotBeNull();

        clock.Advance(TimeSpan.FromSeconds(2));
        buckets.Take("later", 1, 1, 1).ShouldBeNull();
        buckets.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", "local")]
    [InlineData("::1", "::/64", "local")]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1", "local")]
    [InlineData("192.168.1.7", "192.168.1.7", "network")]
    [InlineData("172.32.0.1", "172.32.0.1", "internet")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3", "network")]
    [InlineData("fd00::1", "fd00::/64", "network")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "internet")]
    [InlineData("2001:db8:1:2:ffff::", "2001:db8:1:2::/64", "internet")]
    public void One_client_has_one_name_whatever_address_it_takes(string address, string name, string where)
    {
        ClientAddress.NameOf(IPAddress.Parse(address)).ShouldBe(name);
        ClientAddress.ClassOf(IPAddress.Parse(address)).ShouldBe(where);
    }
}
