namespace Spotter.Cli.Remote;

/// <summary>Where the service of a data folder listens, written down there for the commands that operate it.</summary>
internal static class ServiceAddress
{
    private const string Name = "address";

    /// <summary>The file in a data folder.</summary>
    public static string FileIn(string data) => Path.Combine(data, Name);

    /// <summary>Notes the address; disposing of the result forgets it.</summary>
    public static IDisposable Note(string data, Uri address)
    {
        var file = FileIn(data);
        File.WriteAllText(file, address.ToString() + "\n");
        return new Noted(file);
    }

    /// <summary>The address; null when no service has noted one. It may be that of a service that was killed.</summary>
    public static Uri? Read(string data)
    {
        try
        {
            return Uri.TryCreate(File.ReadAllText(FileIn(data)).Trim(), UriKind.Absolute, out var address) ? address : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Noted(string file) : IDisposable
    {
        public void Dispose()
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
            {
                // The next service overwrites it.
            }
        }
    }
}
