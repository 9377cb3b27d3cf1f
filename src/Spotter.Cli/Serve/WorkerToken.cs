using Spotter.Core;

namespace Spotter.Cli.Serve;

/// <summary>The secret that workers and gateway share: never an argument, since those can be seen by everyone.</summary>
internal static class WorkerToken
{
    /// <summary>The environment variable that may hold it.</summary>
    public const string Variable = "SPOTTER__WORKER__TOKEN";

    /// <summary>The token from a file, or from the environment; null when neither is given.</summary>
    /// <param name="file">The value of <c>--token-file</c>.</param>
    /// <exception cref="SpotterException">The file can't be read.</exception>
    public static string? Read(string? file)
    {
        if (file is null)
            return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } token ? token : null;
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The token file {file} can't be read: {unreadable.Message}", unreadable);
        }
    }
}
