using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Inference;
using Spotter.Vision.Models;

namespace Spotter.Engines.Running;

/// <summary>
/// Loads the models that a worker is to have, one after the other on a thread of its own, so that what runs goes on.
/// A new version is loaded beside the old one, warmed up, and only then takes its place.
/// </summary>
/// <param name="models">Where they go.</param>
/// <param name="options">How they are loaded.</param>
/// <param name="log">Told of what is loaded, and of what can't be.</param>
public sealed partial class ModelLoader(LoadedModels models, VisionModelOptions options, ILogger<ModelLoader> log)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Tried> tried = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<WantedModel>? wanted;
    private bool loading;

    /// <summary>Fails with <see cref="ErrorCodes.NativeMissing"/> once it is known that no model can ever be loaded; else never ends.</summary>
    public Task Broken => broken.Task;

    /// <summary>True while models are being loaded: what they use must not be taken away, not even by the end of the process.</summary>
    public bool IsLoading
    {
        get
        {
            lock (gate)
                return loading;
        }
    }

    /// <summary>
    /// From now on the worker is to have exactly the models of these files. Returns at once; what is there already and has
    /// not changed stays as it is. One that can't be loaded is noted (<see cref="LoadedModels.Fail"/>) and tried again when
    /// its file has changed.
    /// </summary>
    public void Want(IReadOnlyList<WantedModel> all)
    {
        foreach (var model in all.Where(w => !w.Keep))
            models.Expect(IdOf(model.File));
        lock (gate)
        {
            wanted = all;
            if (loading)
                return;
            loading = true;
        }
        new Thread(LoadWhatIsWanted) { IsBackground = true, Name = "model loader" }.Start();
    }

    private void LoadWhatIsWanted()
    {
        while (true)
        {
            IReadOnlyList<WantedModel> all;
            lock (gate)
            {
                loading = wanted is not null;
                if (wanted is null)
                    return;
                (all, wanted) = (wanted, null);
            }
            // Also those that were to be loaded, and are wanted no more before it was their turn.
            var gone = tried.Keys.Union(models.List().Select(m => m.Id), StringComparer.Ordinal).Except(all.Select(w => IdOf(w.File)), StringComparer.Ordinal);
            var spoilt = all.Where(w => w.Keep && !tried.ContainsKey(IdOf(w.File))).Select(w => IdOf(w.File));
            foreach (var id in gone.Concat(spoilt).ToList())
            {
                models.Remove(id);
                if (tried.Remove(id))
                    LogRemoved(id);
            }
            foreach (var model in all.Where(w => !w.Keep))
                Load(model.File);
        }
    }

    private void Load(string file)
    {
        var id = IdOf(file);
        // Before the file is read: what changes later is newer than what was read.
        var earlier = tried.GetValueOrDefault(id);
        var now = new Tried(file, ModelStamp.Of(file, earlier?.File == file ? earlier.Stamp : null));
        if (earlier == now)
            return;
        tried[id] = now;
        try
        {
            var version = ModelVersion.Of(file);
            if (models.VersionOf(id) == version)
            {
                models.Confirm(id);
                return;
            }
            models.Begin(id);
            Failpoint.At("model-loading", id);
            var model = VisionModel.Load(file, options);
            var (device, without) = (model.DeviceName, model.NotOnDevice);
            models.Set(model, version);
            LogLoaded(id, version, device);
            if (without is not null)
                LogNotOnDevice(id, without);
        }
        catch (SpotterException missing) when (missing.Code == ErrorCodes.NativeMissing)
        {
            broken.TrySetException(missing);
            Note(id, missing.Code, missing.Message);
        }
        catch (SpotterException unusable)
        {
            Note(id, unusable.Code, unusable.Message);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Note(id, ErrorCodes.ModelInvalid, $"The model file {file} can't be read: {unreadable.Message}");
        }
        catch (Exception odd) when (odd is not OutOfMemoryException)
        {
            // A model that nobody foresaw must not take the others along.
            Note(id, ErrorCodes.ModelInvalid, $"The model file {file} can't be used ({odd.GetType().Name}: {odd.Message}); export the model again, or take it away.");
        }
    }

    private void Note(string id, string code, string reason)
    {
        models.Fail(id, new JobError(code, reason));
        LogNotLoaded(id, reason);
    }

    private static string IdOf(string file) => Path.GetFileNameWithoutExtension(file);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is loaded in version {Version}, on {Device}")]
    private partial void LogLoaded(string model, string version, string device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} runs on the processor: {Reason}")]
    private partial void LogNotOnDevice(string model, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is wanted no more")]
    private partial void LogRemoved(string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} can't be loaded: {Reason}")]
    private partial void LogNotLoaded(string model, string reason);

    /// <summary>What was last tried under a name.</summary>
    private sealed record Tried(string File, ModelStamp Stamp);
}

/// <summary>A model that a worker is to have.</summary>
/// <param name="File">Its file.</param>
/// <param name="Keep">True when the file as it is now is no good: the version that is there stays, and nothing is loaded.</param>
public sealed record WantedModel(string File, bool Keep = false);
