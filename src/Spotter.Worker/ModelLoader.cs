using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Core.Jobs;
using Spotter.Vision;
using Spotter.Vision.Models;

namespace Spotter.Worker;

/// <summary>
/// Loads the models that a worker is to have, one after the other on a thread of its own, so that what runs goes on.
/// A new version is loaded beside the old one, warmed up, and only then takes its place.
/// </summary>
/// <param name="models">Where they go.</param>
/// <param name="options">How they are loaded.</param>
/// <param name="log">Told of what is loaded, and of what can't be.</param>
public sealed partial class ModelLoader(LoadedModels models, VisionModelOptions options, ILogger<ModelLoader> log) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<string, (string File, (FileStamp, FileStamp) Stamp)> tried = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first model is there.</summary>
    public Task First => first.Task;

    /// <summary>
    /// Has exactly the models of these files, in the order of the list; what is there already and has not changed stays as
    /// it is. One that can't be loaded is noted (<see cref="LoadedModels.Fail"/>).
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.NativeMissing"/>: no model can be loaded at all.</exception>
    public async Task ApplyAsync(IReadOnlyList<string> files)
    {
        await turn.WaitAsync();
        try
        {
            await Task.Factory.StartNew(() => Apply(files), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    private void Apply(IReadOnlyList<string> files)
    {
        foreach (var id in tried.Keys.Except(files.Select(IdOf), StringComparer.Ordinal).ToList())
        {
            tried.Remove(id);
            models.Remove(id);
            LogRemoved(id);
        }
        foreach (var file in files)
            Load(file);
    }

    private void Load(string file)
    {
        var id = IdOf(file);
        // Before the file is read: what changes later is newer than what was read.
        var stamp = FileStamp.OfModel(file);
        if (tried.TryGetValue(id, out var earlier) && earlier == (file, stamp) && models.VersionOf(id) is not null)
            return;
        tried[id] = (file, stamp);
        try
        {
            var version = ModelVersion.Of(file);
            if (models.VersionOf(id) != version)
            {
                models.Set(VisionModel.Load(file, options), version);
                LogLoaded(id, version);
            }
            else
            {
                models.Confirm(id);
            }
            first.TrySetResult();
        }
        catch (SpotterException unusable) when (unusable.Code != ErrorCodes.NativeMissing)
        {
            models.Fail(id, new JobError(unusable.Code, unusable.Message));
            LogNotLoaded(id, unusable.Message);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            var reason = $"The model file {file} can't be read: {unreadable.Message}";
            models.Fail(id, new JobError(ErrorCodes.ModelInvalid, reason));
            LogNotLoaded(id, reason);
        }
    }

    private static string IdOf(string file) => Path.GetFileNameWithoutExtension(file);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is loaded in version {Version}")]
    private partial void LogLoaded(string model, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is no longer wanted")]
    private partial void LogRemoved(string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} can't be loaded: {Reason}")]
    private partial void LogNotLoaded(string model, string reason);
}
