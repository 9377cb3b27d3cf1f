using System.Net;
using System.Net.Sockets;

namespace Spotter.Gateway.Access;

/// <summary>What a remote address says about a client.</summary>
internal static class ClientAddress
{
    private const int SubnetBytes = 8;

    /// <summary>One name for all that one client can call itself: an IPv4 address, of an IPv6 address the /64 that a household gets.</summary>
    public static string NameOf(IPAddress? address)
    {
        if (address is null)
            return "unknown";
        if (Plain(address) is { AddressFamily: AddressFamily.InterNetwork } four)
            return four.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(SubnetBytes).Clear();
        return $"{new IPAddress(bytes)}/64";
    }

    /// <summary>
    /// Whom a proxy says that a request came from: the last address of <c>X-Forwarded-For</c>, which is the one that the proxy has
    /// added. Some add the port too. Null when there is none, or no address.
    /// </summary>
    public static IPAddress? BehindProxy(string forwardedFor) =>
        IPEndPoint.TryParse(forwardedFor.Split(',')[^1].Trim(), out var client) ? client.Address : null;

    /// <summary>True for this machine itself.</summary>
    public static bool IsLocal(IPAddress? address) => address is not null && IPAddress.IsLoopback(Plain(address));

    /// <summary>From where, as far as people may know: <c>local</c>, <c>network</c> (a private one) or <c>internet</c>; never the address itself.</summary>
    public static string ClassOf(IPAddress? address)
    {
        if (address is null || IsLocal(address))
            return "local";
        return IsPrivate(Plain(address)) ? "network" : "internet";
    }

    private static bool IsPrivate(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal;
        return address.GetAddressBytes() switch
        {
            [10, ..] or [192, 168, ..] or [169, 254, ..] => true,
            [172, >= 16 and < 32, ..] or [100, >= 64 and < 128, ..] => true,
            _ => false,
        };
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
