using System.Text.Json;
using System.Text.Json.Serialization;
using Spotter.Core;
using Spotter.Core.Files;

namespace Spotter.Gateway.Access;

/// <summary>
/// The file of the keys. It is replaced as a whole, so that whoever reads it finds all of the old or all of the new one;
/// who changes it holds a lock beside it meanwhile. Only its owner may read it.
/// </summary>
/// <param name="path">The file.</param>
public sealed class KeyFile(string path)
{
    /// <summary>Its name in the data folder.</summary>
    public const string DefaultName = "keys.json";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Each request is compared with all of them.
    private const int MostKeys = 1000;
    private const int LargestFile = 16 << 20;
    private const int LockTries = 50;
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Its keys; null when there is no file.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it can't be read, or is not such a file.</exception>
    public IReadOnlyList<ApiKey>? Read()
    {
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadBytes(path, LargestFile);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The key file {path} can't be read: {unreadable.Message}", unreadable);
        }
        return Parse(bytes);
    }

    /// <summary>Adds a key.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.AlreadyThere"/>: there is one of this name.</exception>
    public Task AddAsync(ApiKey key, TimeProvider time, CancellationToken cancel) => ChangeAsync(
        keys =>
        {
            if (keys.Any(k => k.Name == key.Name))
                throw new SpotterException(ErrorCodes.AlreadyThere, $"There is a key named '{key.Name}' already; revoke it, or choose another name.");
            if (keys.Count == MostKeys)
                throw new SpotterException(ErrorCodes.InvalidRequest, $"There are {MostKeys} keys already; revoke some that nobody uses.");
            return [.. keys, key];
        },
        time, cancel);

    /// <summary>Removes a key.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NotFound"/>: there is none of this name.</exception>
    public Task RevokeAsync(string name, TimeProvider time, CancellationToken cancel) => ChangeAsync(
        keys => keys.Any(k => k.Name == name)
            ? [.. keys.Where(k => k.Name != name)]
            : throw new SpotterException(ErrorCodes.NotFound, $"There is no key named '{name}'; `spotter keys list` shows those that there are."),
        time, cancel);

    private IReadOnlyList<ApiKey> Parse(byte[] bytes)
    {
        try
        {
            var keys = JsonSerializer.Deserialize(bytes, KeyJson.Default.KeyDocument)?.Keys ?? throw new JsonException("it is null");
            var flaw = keys.Select(k => k is null ? "One of its keys is null." : k.Flaw).FirstOrDefault(f => f is not null)
                ?? (keys.Count > MostKeys ? $"It has more than {MostKeys} keys." : null)
                ?? (keys.DistinctBy(k => k.Name, StringComparer.Ordinal).Count() < keys.Count ? "Two of its keys have one name." : null);
            return flaw is null ? keys : throw new SpotterException(ErrorCodes.InvalidSettings, $"The key file {path} can't be used: {flaw}");
        }
        catch (JsonException broken)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The file {path} is not a key file ({broken.Message.TrimEnd('.')}); restore it, or remove it and make new keys.", broken);
        }
    }

    private async Task ChangeAsync(Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            CreateFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            await using var hold = await LockAsync(time, cancel);
            var changed = change(Read() ?? []);
            var part = path + ".part";
            await using (var file = new FileStream(part, NewFile(FileMode.Create)))
            {
                await JsonSerializer.SerializeAsync(file, new KeyDocument(changed), KeyJson.Default.KeyDocument, cancel);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"The key file {path} can't be written: {unwritten.Message}", unwritten);
        }
    }

    /// <summary>The data folder may not be there yet; like the service, let nobody else look into it.</summary>
    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else if (!Directory.Exists(folder))
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }

    private async Task<FileStream> LockAsync(TimeProvider time, CancellationToken cancel)
    {
        for (var left = LockTries; ; left--)
        {
            try
            {
                return new FileStream(path + ".lock", NewFile(FileMode.OpenOrCreate));
            }
            catch (IOException) when (left > 1 && File.Exists(path + ".lock"))
            {
                await Task.Delay(LockPause, time, cancel);
            }
        }
    }

    private static FileStreamOptions NewFile(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }
}

/// <summary>What is in the file.</summary>
/// <param name="Keys">The keys.</param>
internal sealed record KeyDocument(IReadOnlyList<ApiKey> Keys);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(KeyDocument))]
internal sealed partial class KeyJson : JsonSerializerContext;
