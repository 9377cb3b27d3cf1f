using System.Net;
using System.Net.Sockets;

namespace Spotter.EndToEnd.Harness;

/// <summary>Ports of this machine for programs that can't choose one themselves.</summary>
internal static class FreePort
{
    /// <summary>One on which nobody listens at this moment.</summary>
    public static int Take()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
