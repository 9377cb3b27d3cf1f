using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spotter.Cli.Catalogue;
using Spotter.Core;
using Spotter.Gateway;

namespace Spotter.Cli.Serve;

/// <summary>
/// Pulls models of the catalogue into the folder that a service serves, one after the other, and knows how far each is. What has
/// come is taken up by the watch over that folder, as if somebody had put it there.
/// </summary>
internal sealed partial class ModelPulls : BackgroundService
{
    private const int MostWaiting = 8;

    private static readonly TimeSpan ReadAnew = TimeSpan.FromMinutes(10);

    private readonly ServiceSettings settings;
    private readonly ILogger<ModelPulls> log;
    private readonly Transfer transfer;
    private readonly Channel<Pull> waiting = Channel.CreateBounded<Pull>(MostWaiting);
    private readonly SemaphoreSlim reading = new(1);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Pull> pulls = new(StringComparer.Ordinal);
    private (ModelCatalogue Catalogue, long At)? known;

    public ModelPulls(ServiceSettings settings, TimeProvider time, RandomSource random, ILogger<ModelPulls> log)
    {
        (this.settings, this.log) = (settings, log);
        transfer = new(new(), time, random, LogNote);
    }

    /// <summary>Why no model can be pulled here; null when some can.</summary>
    private string? Closed =>
        settings.Models.Count > 0 ? "This service serves the models that it was started with (--model) and no others; start it without, and it serves all that are in its folder."
        : settings.Pools.Any(pool => pool.Launcher is { IsElsewhere: false, IsObserved: false }) ? null
        : "The workers of this service are elsewhere and have models of their own; put the model there.";

    private string Folder => Path.Combine(settings.DataFolder, "models");

    /// <summary>The catalogue, and how each of its models stands.</summary>
    /// <exception cref="SpotterException">As <see cref="ModelCatalogue.LoadAsync"/> says.</exception>
    public async Task<CatalogueView> ShowAsync(CancellationToken cancel)
    {
        var catalogue = await CatalogueAsync(cancel);
        return new([.. catalogue.Entries.Select(Show)], Closed);
    }

    /// <summary>Has a model pulled; one that is here already, or on its way, is left alone.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="accepted">The licence that is accepted; null for none.</param>
    /// <param name="cancel">Ends the reading of the catalogue, not the pull.</param>
    /// <exception cref="SpotterException">
    /// <see cref="ErrorCodes.UnsupportedOption"/>, <see cref="ErrorCodes.UnknownModel"/>, <see cref="ErrorCodes.LicenceNotAccepted"/>, <see cref="ErrorCodes.Busy"/>.
    /// </exception>
    public async Task<CatalogueOffer> StartAsync(string name, string? accepted, CancellationToken cancel)
    {
        if (Closed is { } closed)
            throw new SpotterException(ErrorCodes.UnsupportedOption, closed);
        var entry = (await CatalogueAsync(cancel)).Find(name);
        if (!entry.Licence.IsAcceptedBy(accepted))
        {
            throw new SpotterException(
                ErrorCodes.LicenceNotAccepted, $"{name} is under {entry.Licence.Id}, which has to be accepted: read it, then send {{\"acceptLicence\": \"{entry.Licence.Id}\"}}.");
        }
        lock (gate)
        {
            if (Show(entry).State is not (OfferState.Pulling or OfferState.Here))
            {
                var pull = new Pull(entry);
                if (!waiting.Writer.TryWrite(pull))
                    throw new SpotterException(ErrorCodes.Busy, "Other models are being pulled; wait until they are here.");
                pulls[name] = pull;
            }
        }
        return Show(entry);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        transfer.Dispose();
        reading.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var pull in waiting.Reader.ReadAllAsync(stoppingToken))
                await RunAsync(pull, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What has come of it is kept, and the next pull goes on from there.
        }
    }

    private async Task RunAsync(Pull pull, CancellationToken cancel)
    {
        var download = new PinnedDownload(transfer, pull.Entry, Folder);
        try
        {
            await download.RunAsync(force: false, pull, cancel);
            LogPulled(pull.Entry.Name, download.Target);
        }
        catch (SpotterException failed)
        {
            LogFailed(pull.Entry.Name, failed.Message);
            pull.Error = Problems.Of(failed.Code, failed.Message);
        }
        finally
        {
            pull.HasEnded = true;
        }
    }

    private CatalogueOffer Show(CatalogueEntry entry)
    {
        Pull? pull;
        lock (gate)
            pull = pulls.GetValueOrDefault(entry.Name);
        var state =
            pull is { HasEnded: false } ? OfferState.Pulling
            : File.Exists(new PinnedDownload(transfer, entry, Folder).Target) ? OfferState.Here
            : pull?.Error is not null ? OfferState.Failed
            : OfferState.Available;
        return new()
        {
            Name = entry.Name,
            Task = entry.Task,
            What = entry.What,
            Url = entry.Url,
            Bytes = entry.Bytes,
            Licence = entry.Licence,
            State = state,
            BytesHere = state == OfferState.Pulling ? pull!.There : 0,
            Error = state == OfferState.Failed ? pull!.Error : null,
        };
    }

    private async Task<ModelCatalogue> CatalogueAsync(CancellationToken cancel)
    {
        await reading.WaitAsync(cancel);
        try
        {
            if (known is not { } before || transfer.Clock.GetElapsedTime(before.At) > ReadAnew)
            {
                var place = Environment.GetEnvironmentVariable(ModelCatalogue.Variable);
                known = before = (await ModelCatalogue.LoadAsync(place, transfer, cancel), transfer.Clock.GetTimestamp());
            }
            return before.Catalogue;
        }
        finally
        {
            reading.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Pulled the model {Model} into {File}")]
    private partial void LogPulled(string model, string file);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model {Model} could not be pulled. {Reason}")]
    private partial void LogFailed(string model, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "While pulling a model: {Note}")]
    private partial void LogNote(string note);

    /// <summary>A model on its way here.</summary>
    private sealed class Pull(CatalogueEntry entry) : IProgress<long>
    {
        private long there;

        public CatalogueEntry Entry => entry;

        public long There => Volatile.Read(ref there);

        public Problem? Error { get; set; }

        public volatile bool HasEnded;

        public void Report(long value) => Volatile.Write(ref there, value);
    }
}
