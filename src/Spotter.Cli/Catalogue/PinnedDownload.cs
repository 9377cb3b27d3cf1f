using System.Net;
using System.Security.Cryptography;
using Spotter.Backends.Local;
using Spotter.Core;

namespace Spotter.Cli.Catalogue;

/// <summary>How a file came to be there.</summary>
internal enum PullState
{
    /// <summary>It was there already.</summary>
    Present,

    /// <summary>It came over the network.</summary>
    Downloaded,
}

/// <summary>
/// Brings a model of the catalogue into a folder. Its bytes get their name only after their hash has been found right;
/// what an interrupted download left is continued.
/// </summary>
/// <param name="transfer">The way to the server.</param>
/// <param name="entry">The model.</param>
/// <param name="folder">Where it goes.</param>
internal sealed class PinnedDownload(Transfer transfer, CatalogueEntry entry, string folder)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Where the model will lie.</summary>
    public string Target { get; } = Path.Combine(folder, entry.Name + ".onnx");

    /// <summary>How much an earlier download had left.</summary>
    public long ResumedAt { get; private set; }

    /// <summary>Makes the model be there.</summary>
    /// <param name="force">Replace a file of that name with other bytes.</param>
    /// <param name="progress">Is told how much of it is there.</param>
    /// <param name="cancel">Ends the download; what is there is kept.</param>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.DownloadFailed"/>, <see cref="ErrorCodes.DownloadCorrupt"/>, <see cref="ErrorCodes.DiskFull"/>,
    /// <see cref="ErrorCodes.AlreadyThere"/>, <see cref="ErrorCodes.Busy"/>, <see cref="ErrorCodes.StoreUnavailable"/>.
    /// </exception>
    public async Task<PullState> RunAsync(bool force, IProgress<long> progress, CancellationToken cancel)
    {
        try
        {
            DurableFiles.CreateFolder(folder);
            await using var hold = await HoldAsync(cancel);
            // It may have been there before, or another process brought it in the meantime.
            if (await IsThereAsync(force, cancel))
                return PullState.Present;
            CheckRoom();
            using var part = PartFile.Open(Target, entry.Sha256, entry.Bytes);
            try
            {
                await FillAsync(part, progress, cancel);
                WriteOverrides();
                part.Publish(Target);
                return PullState.Downloaded;
            }
            finally
            {
                if (part.Length == 0)
                    part.Delete();
            }
        }
        catch (IOException e) when (DurableFiles.IsDiskFull(e))
        {
            throw Full(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(
                ErrorCodes.StoreUnavailable, $"{Target} can't be written ({e.Message.TrimEnd('.')}); name another data folder with --data.", e);
        }
    }

    /// <summary>True when the model is there already.</summary>
    /// <param name="force">Treat a file of that name with other bytes as if it were not there.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.AlreadyThere"/>: a file of that name has other bytes.</exception>
    public async Task<bool> IsThereAsync(bool force, CancellationToken cancel)
    {
        if (!File.Exists(Target))
            return false;
        await using var file = File.OpenRead(Target);
        var found = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
        if (IsRight(found))
            return true;
        return force ? false : throw new SpotterException(
            ErrorCodes.AlreadyThere,
            $"{Target} is there already but is another file (its SHA-256 begins with {found[..12]}, not {entry.Sha256[..12]}); --force replaces it.");
    }

    /// <summary>Keeps other processes from downloading the same. Its file stays: who waits for it may have it open already.</summary>
    private async Task<FileStream> HoldAsync(CancellationToken cancel)
    {
        var start = transfer.Clock.GetTimestamp();
        for (var first = true; ; first = false)
        {
            try
            {
                return new FileStream(Path.Combine(folder, $".{entry.Name}.onnx.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (DurableFiles.IsHeld(e))
            {
                if (transfer.Clock.GetElapsedTime(start) > transfer.Limits.OtherPull)
                {
                    throw new SpotterException(
                        ErrorCodes.Busy, $"Another process has been downloading {entry.Name} for a long time; end it, or wait and try again.", e);
                }
            }
            if (first)
                transfer.Note($"another process downloads {entry.Name}; waiting for it");
            await Task.Delay(LookAgain, transfer.Clock, cancel);
        }
    }

    private async Task FillAsync(PartFile part, IProgress<long> progress, CancellationToken cancel)
    {
        ResumedAt = part.Length;
        progress.Report(part.Length);
        try
        {
            for (var again = true; ; again = false)
            {
                var patched = false;
                await transfer.RetryAsync(
                    entry.Name, entry.Url, () => part.Length, async () => patched |= await ContinueAsync(part, progress, cancel), cancel);
                var found = part.Hash();
                if (IsRight(found))
                    return;
                // Pieces of two versions, or a piece that a crash spoilt: the whole in one go tells.
                if (!patched || !again)
                    throw Corrupt($"its SHA-256 begins with {found[..12]}, not {entry.Sha256[..12]}");
                transfer.Note("the pieces do not fit together; starting over");
                part.Restart(tag: null);
                ResumedAt = 0;
            }
        }
        catch (SpotterException e) when (e.Code == ErrorCodes.DownloadCorrupt)
        {
            part.Delete();
            throw;
        }
        catch (IOException e) when (DurableFiles.IsDiskFull(e))
        {
            // A full disk hurts others: give the room back.
            part.Delete();
            throw;
        }
    }

    /// <summary>Fetches what is missing; true if that was added to something earlier.</summary>
    private async Task<bool> ContinueAsync(PartFile part, IProgress<long> progress, CancellationToken cancel)
    {
        var from = part.Length;
        if (from == entry.Bytes)
            return true;
        using var response = await transfer.GetAsync(entry.Url, from > 0 ? (from, part.Tag) : null, cancel);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            part.Restart(tag: null);
            throw new TransferFault("the server has no rest of what is here; starting over", again: true);
        }
        var headers = response.Content.Headers;
        var continues = response.StatusCode == HttpStatusCode.PartialContent && headers.ContentRange?.From == from;
        var whole = continues ? headers.ContentRange!.Length : headers.ContentLength;
        if (response.StatusCode == HttpStatusCode.PartialContent && !continues)
        {
            part.Restart(tag: null);
            throw new TransferFault("the server answers with another piece than the one asked for; starting over", again: true);
        }
        if (whole is { } length && length != entry.Bytes)
            throw Corrupt($"the server has {length} bytes, not {entry.Bytes}");
        if (!continues)
        {
            part.Restart(response.Headers.ETag?.ToString());
            if (from > 0)
            {
                ResumedAt = 0;
                transfer.Note("the server sends it from the beginning");
            }
        }
        await foreach (var bytes in transfer.BytesAsync(response, entry.Bytes, cancel))
        {
            if (part.Length + bytes.Length > entry.Bytes)
                throw Corrupt($"the server sends more than {entry.Bytes} bytes");
            await part.AppendAsync(bytes, cancel);
            progress.Report(part.Length);
        }
        return part.Length == entry.Bytes
            ? continues
            : throw new TransferFault($"the server ended after {part.Length} of {entry.Bytes} bytes", again: true);
    }

    /// <summary>Puts beside the model, before it is there itself, what its file does not tell; a file of the user's stays.</summary>
    private void WriteOverrides()
    {
        if (entry.Overrides is not { Count: > 0 } lines)
            return;
        var file = Path.ChangeExtension(Target, ".yaml");
        if (File.Exists(file))
        {
            if (!File.ReadLines(file).SequenceEqual(lines, StringComparer.Ordinal))
                transfer.Note($"{file} is there already and stays as it is");
            return;
        }
        File.WriteAllLines(file + ".part", lines);
        File.Move(file + ".part", file, overwrite: true);
    }

    private bool IsRight(string hash) => string.Equals(hash, entry.Sha256, StringComparison.OrdinalIgnoreCase);

    private void CheckRoom()
    {
        var part = new FileInfo(Target + ".part");
        if (new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace < entry.Bytes - (part.Exists ? part.Length : 0))
            throw Full(cause: null);
    }

    private SpotterException Corrupt(string how) => new(
        ErrorCodes.DownloadCorrupt,
        $"What {entry.Url} gives is not {entry.Name} as the catalogue states it: {how}; nothing of it was kept, and a newer catalogue may know better.");

    private SpotterException Full(IOException? cause) => new(
        ErrorCodes.DiskFull, $"The disk has no room for the {entry.Bytes} bytes of {entry.Name} in {folder}; make room, or name another data folder with --data.", cause);
}
