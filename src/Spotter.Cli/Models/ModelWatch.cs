using Microsoft.Extensions.Logging;
using Spotter.Core;
using Spotter.Jobs;
using Spotter.Vision.Models;

namespace Spotter.Cli.Models;

/// <summary>Inspects model files; the answers are in the order of the files.</summary>
internal delegate Task<IReadOnlyList<ModelListing>> InspectModels(IReadOnlyList<string> files, CancellationToken cancel);

/// <summary>
/// Notices model files that come, change and go, and says what there is once it is known to be usable. It looks at the
/// files every other second instead of asking the system to be told: that works alike on every file system, also where
/// volumes are mounted and links are switched, misses nothing, and costs less than a millisecond.
/// </summary>
/// <remarks>
/// A file is judged when two looks in a row saw it the same, so that one that is being written is left alone. One that
/// turns out to be no model changes nothing for the version that was there before, which goes on serving.
/// </remarks>
internal sealed partial class ModelWatch(ModelChoice choice, InspectModels inspect, TimeProvider time, ILogger<ModelWatch> log)
{
    /// <summary>Time between looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private List<string> order = [];

    /// <summary>The models as last seen, the default first.</summary>
    public IReadOnlyList<WatchedModel> Models { get; private set; } = [];

    /// <summary>Judges what there is at the start, as it is.</summary>
    /// <exception cref="SpotterException">A model that was named can't be used; or two have one name.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        order = [.. choice.Files()];
        if (order.GroupBy(Path.GetFileNameWithoutExtension, StringComparer.Ordinal).FirstOrDefault(g => g.Distinct(StringComparer.Ordinal).Count() > 1) is { } twice)
            throw new SpotterException(ErrorCodes.InvalidSettings, $"Two models are called '{twice.Key}'; rename one of the files.");
        foreach (var file in order)
            entries.TryAdd(file, new Entry { Seen = ModelStamp.Of(file, earlier: null) });
        await JudgeAsync(order, cancel);
        foreach (var refused in Models.Where(m => m.Error is not null))
        {
            if (choice.Named.Count > 0)
                throw new SpotterException(refused.Error!.Code, refused.Error.Detail);
            StandardError.Complain($"{refused.Error!.Detail} It is left out.");
        }
    }

    /// <summary>Looks again and again; calls <paramref name="changed"/> whenever there is something new to know.</summary>
    public async Task RunAsync(Action<IReadOnlyList<WatchedModel>> changed, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Period, time, cancel);
                if (await LookAsync(cancel))
                    changed(Models);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed) when (failed is not OutOfMemoryException)
            {
                // A folder that can't be read for a while must not end the watch, nor take the models away.
                LogFailed(failed);
            }
        }
    }

    /// <summary>One look; true when something has changed that is worth telling.</summary>
    internal async Task<bool> LookAsync(CancellationToken cancel)
    {
        var files = choice.Files().ToList();
        var gone = KeepWhatIsMissingForTheFirstTime(files);
        order = files;

        var settled = new List<string>();
        foreach (var file in order)
        {
            var entry = entries.GetValueOrDefault(file);
            var stamp = ModelStamp.Of(file, entry?.Seen);
            if (entry is null)
                entries.Add(file, new Entry { Seen = stamp });
            else if (!stamp.Model.Exists || stamp.Equals(entry.Judged))
                continue;
            else if (!stamp.Equals(entry.Seen))
                entry.Seen = stamp;
            else
                settled.Add(file);
        }
        return await JudgeAsync(settled, cancel) || gone;
    }

    /// <summary>Files are often replaced by deleting them first, so one that is away is only given up when it is away twice.</summary>
    private bool KeepWhatIsMissingForTheFirstTime(List<string> files)
    {
        var gone = false;
        for (var i = 0; i < order.Count; i++)
        {
            var entry = entries[order[i]];
            if (files.Contains(order[i], StringComparer.Ordinal))
            {
                entry.Missing = false;
            }
            else if (!entry.Missing)
            {
                entry.Missing = true;
                files.Insert(Math.Min(i, files.Count), order[i]);
            }
            else
            {
                entries.Remove(order[i]);
                LogGone(order[i]);
                gone = true;
            }
        }
        if (gone)
            Publish(files);
        return gone;
    }

    private async Task<bool> JudgeAsync(IReadOnlyList<string> files, CancellationToken cancel)
    {
        if (files.Count == 0)
            return false;
        var judged = false;
        foreach (var listing in await inspect(files, cancel))
        {
            var entry = entries[listing.File];
            // What changed while it was read is judged another time.
            if (ModelStamp.Of(listing.File, entry.Seen) is var stamp && !stamp.Equals(entry.Seen))
            {
                entry.Seen = stamp;
                continue;
            }
            judged = true;
            Note(entry, listing);
        }
        if (judged)
            Publish(order);
        return judged;
    }

    private void Note(Entry entry, ModelListing listing)
    {
        var before = entry.Usable;
        var isNew = entry.Judged is null;
        entry.Judged = entry.Seen;
        entry.Error = listing.Error;
        entry.Usable = listing.Model is null ? before : listing;
        if (listing.Error is { } error && before is not null)
            LogKept(error.Detail, before.Model!.Version);
        else if (listing.Error is { } refusal && !isNew)
            LogRefused(refusal.Detail);
        else if (listing.Model is { } model && (before is not null || Models.Count > 0))
            LogUsable(model.Id, model.Version);
        if (listing.Model is { Unsure: { } unsure } doubtful)
            LogUnsure(doubtful.Id, unsure);
    }

    private void Publish(IReadOnlyList<string> files)
    {
        var models = new OrderedDictionary<string, WatchedModel>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (!entries.TryGetValue(file, out var entry) || entry.Judged is null)
                continue;
            var model = new WatchedModel(file, entry.Usable?.Model, entry.Error);
            models.TryAdd(model.Id, model);
        }
        Models = [.. models.Values];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is usable in version {Version}")]
    private partial void LogUsable(string model, string version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} may be read wrongly. {Reason}")]
    private partial void LogUnsure(string model, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason} Version {Version} goes on serving")]
    private partial void LogKept(string reason, string version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason} It is left out")]
    private partial void LogRefused(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The model file {File} is gone, and so is the model")]
    private partial void LogGone(string file);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model files can't be looked at; what is there stays")]
    private partial void LogFailed(Exception exception);

    private sealed class Entry
    {
        /// <summary>As it was at the last look.</summary>
        public required ModelStamp Seen { get; set; }

        /// <summary>As it was when it was last inspected; null before the first time.</summary>
        public ModelStamp? Judged { get; set; }

        /// <summary>The newest version that can be used.</summary>
        public ModelListing? Usable { get; set; }

        public JobError? Error { get; set; }

        /// <summary>True when it was not there at the last look.</summary>
        public bool Missing { get; set; }
    }
}
