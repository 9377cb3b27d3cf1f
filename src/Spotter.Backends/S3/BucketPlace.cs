using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Backends.S3;

/// <summary>Pictures in a bucket. Credentials are no settings: the environment, a profile or a role has them.</summary>
internal sealed class BucketPlace : IBlobPlaceModule
{
    private static readonly Setting<string?> Endpoint = new(
        "s3.endpoint", "A server that speaks S3. Default: Amazon's.", SettingValues.OptionalText("URL"), null) { Flag = "--s3-endpoint", IsSecret = true };

    private static readonly Setting<string?> Region = new(
        "s3.region", "The bucket's region. Default: what the environment or the profile says.", SettingValues.OptionalText("REGION"), null) { Flag = "--s3-region" };

    /// <summary>Where the bucket says that an upload has arrived.</summary>
    public static Setting<string?> Events { get; } = new(
        "uploads.events", "The SQS queue, by name or URL, to which the bucket sends an event for each object under `uploads/`: each then becomes a job without its client confirming it. Default: none.",
        SettingValues.OptionalText("QUEUE"), null) { Flag = "--upload-events" };

    public string Form => "s3://BUCKET or s3://BUCKET/PREFIX";

    public IReadOnlyList<Setting> Settings { get; } = [Endpoint, Region, Events];

    public BlobPlace? Open(string place, SettingReader settings, RandomSource random, TimeProvider clock)
    {
        if (!S3Settings.IsLocation(place))
            return null;
        var bucket = Read(place, settings);
        var store = new S3BlobStore(bucket, clock);
        return new BlobPlace(store, place) { Check = store.CheckAsync, UploadEvents = settings.Get(Events) is { } queue ? new UploadQueue(queue, bucket) : null };
    }

    public async Task<Probed?> ProbeAsync(string place, SettingReader settings)
    {
        if (!S3Settings.IsLocation(place))
            return null;
        using var store = new S3BlobStore(Read(place, settings), TimeProvider.System);
        await store.ProbeAsync(CancellationToken.None);
        return new("pictures", $"{place} can be listed and read; whether it can be written was not tried");
    }

    private static S3Settings Read(string place, SettingReader settings) => S3Settings.Parse(place, settings.Get(Endpoint), settings.Get(Region));
}
