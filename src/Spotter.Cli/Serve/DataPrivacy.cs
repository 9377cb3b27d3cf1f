using Spotter.Core.Files;

namespace Spotter.Cli.Serve;

/// <summary>Sees to it that nobody else on the machine reads what Spotter keeps.</summary>
internal static class DataPrivacy
{
    // What is made in the data folder; what lies below has the rights of its folder.
    private static readonly string[] Ours =
    [
        "spotter.db*", "lock", "owner", "blobs", "scratch", "scaling", "keys.json*", "webhook.key*", "address", "gateway", "workers*", "models-of-workers.json*",
    ];

    /// <summary>
    /// Takes what an earlier version left open to others away from them, and says so where the folder itself is open: that may be
    /// meant, so it stays as it is.
    /// </summary>
    /// <param name="data">The data folder, which is there.</param>
    /// <param name="complain">Told what is wrong.</param>
    public static void See(string data, Action<string> complain)
    {
        try
        {
            foreach (var path in Ours.SelectMany(name => Directory.EnumerateFileSystemEntries(data, name)))
                OwnerOnly.Tighten(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            complain($"other users of this machine may be able to read files in {data}, and that can't be changed ({refused.Message.TrimEnd('.')}).");
        }
        if (OwnerOnly.ForeignRights(data) is { } rights)
            complain($"the data folder {data} can be {rights} by other users of this machine; what Spotter makes in it can't be read by them. Unless that is meant, run chmod 700 {data}.");
    }
}
