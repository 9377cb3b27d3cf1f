using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.DynamoDBv2.Model;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Backends.Aws;

/// <summary>
/// Rows as items. A write costs by the KiB, so all that no query looks at is one compressed document. An item has at most 400 KB;
/// of a longer document the rest lies in items of its own (parts).
/// </summary>
internal static class RowCodec
{
    /// <summary>Partitions over which jobs are spread: each takes 1,000 write units a second.</summary>
    public const int Shards = 16;

    private const int PartBytes = 300_000;

    /// <summary>No row is longer than this, far beyond any result; what seems so is damaged.</summary>
    private const int MostBytes = 1 << 28;

    // Brotli's quickest way, and its usual window.
    private const int FastestQuality = 1;
    private const int WindowBits = 22;

    /// <summary>The index that has the jobs of each tenant.</summary>
    public const string OwnerIndex = "owner";

    /// <summary>The index that has the jobs that failed, died or were cancelled, by state.</summary>
    public const string UnluckyIndex = "unlucky";

    /// <summary>Names the row of a job. The last digits of ids are random.</summary>
    public static ItemKey KeyOf(JobId id) => new(ShardOf(id.Value[^1]), id.Value);

    /// <summary>Each partition of jobs.</summary>
    public static IEnumerable<string> AllShards { get; } = [.. "0123456789abcdef".Select(ShardOf)];

    /// <summary>Names what knows the job of an idempotency key.</summary>
    public static ItemKey KeyOfIdempotency(string key) => new($"key#{Hash(key)}", "key");

    /// <summary>Names what knows the jobs that speak of a blob.</summary>
    public static ItemKey KeyOfBlob(string blob) => new($"blob#{blob}", "blob");

    /// <summary>Names what knows the newest job that did some work.</summary>
    public static ItemKey KeyOfCache(string tenant, string cacheKey, string modelVersion) => new($"cache#{Hash($"{tenant}\n{cacheKey}\n{modelVersion}")}", "cache");

    /// <summary>The partition of <see cref="UnluckyIndex"/> for a state.</summary>
    public static string UnluckyOf(JobState state) => string.Create(CultureInfo.InvariantCulture, $"state#{(int)state}");

    /// <summary>True for states in which few jobs end.</summary>
    public static bool IsUnlucky(JobState state) => state is JobState.Failed or JobState.Dead or JobState.Cancelled;

    /// <summary>The item of a row, and the items of its parts, if any.</summary>
    public static (Dictionary<string, AttributeValue> Item, List<Dictionary<string, AttributeValue>> Parts) Write(JobRow row)
    {
        var job = row.Job;
        var item = KeyOf(job.Id).ToItem();
        item["v"] = Value.Of(row.Version);
        item["s"] = Value.Of((long)job.State);
        item["e"] = Value.Of(job.Engine);
        item["t"] = Value.Of(job.Tenant);
        if (job.Internal)
            item["i"] = Value.Of(1);
        if (job.Error is { } error)
            item["c"] = Value.Of(error.Code);
        if (job.Tenant.Length > 0 && !job.Internal)
            item["opk"] = Value.Of($"tenant#{job.Tenant}");
        if (IsUnlucky(job.State) && !job.Internal)
            (item["upk"], item["usk"]) = (Value.Of(UnluckyOf(job.State)), Value.Of(job.Id.Value));
        var document = Compress(JsonSerializer.SerializeToUtf8Bytes(
            new RowDocument(
                new(job), job.Notify.Count == 0 ? null : RawJson.Of(job.Notify, SpotterJson.Default.IReadOnlyListJobNotification), row.CacheKey,
                Microseconds.From(row.Due), Microseconds.From(row.LeasedUntil), Microseconds.From(row.Sent)), AwsJson.Default.RowDocument));
        item["d"] = Value.Of(document.Length <= PartBytes ? document : document[..PartBytes]);
        var parts = new List<Dictionary<string, AttributeValue>>();
        for (var start = PartBytes; start < document.Length; start += PartBytes)
        {
            var part = PartKey(job.Id, row.Version, parts.Count).ToItem();
            part["d"] = Value.Of(document[start..Math.Min(start + PartBytes, document.Length)]);
            parts.Add(part);
        }
        if (parts.Count > 0)
            item["x"] = Value.Of(parts.Count);
        return (item, parts);
    }

    /// <summary>The keys of an item's parts; none for most.</summary>
    public static IEnumerable<ItemKey> Parts(IReadOnlyDictionary<string, AttributeValue> item) =>
        Parts(JobId.Parse(item["sk"].S), item.Number("v"), (int)item.Number("x"));

    /// <summary>The keys of a row's parts, as it was read.</summary>
    public static IEnumerable<ItemKey> Parts(JobRow row) => Parts(row.Job.Id, row.Version, row.Parts);

    /// <summary>The row of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="parts">Its parts, in no order.</param>
    public static JobRow Read(IReadOnlyDictionary<string, AttributeValue> item, IEnumerable<IReadOnlyDictionary<string, AttributeValue>> parts)
    {
        var bytes = item.Bytes("d");
        foreach (var part in parts.OrderBy(p => p["sk"].S, StringComparer.Ordinal))
            bytes = [.. bytes, .. part.Bytes("d")];
        var document = JsonSerializer.Deserialize(Decompress(bytes), AwsJson.Default.RowDocument)!;
        return new JobRow(new StoredJob(
            document.Job.Job with { Notify = document.Notify?.Read(SpotterJson.Default.IReadOnlyListJobNotification) ?? [] }, Microseconds.ToTime(document.Due), Microseconds.ToTime(document.Until))
        {
            CacheKey = document.Cache,
        })
        {
            Sent = Microseconds.ToTime(document.Sent),
            Version = item.Number("v"),
            Parts = (int)item.Number("x"),
        };
    }

    private static IEnumerable<ItemKey> Parts(JobId id, long version, int count) => Enumerable.Range(0, count).Select(i => PartKey(id, version, i));

    private static string ShardOf(char digit) => $"job#{digit}";

    private static ItemKey PartKey(JobId id, long version, int index) =>
        new($"part#{id}", string.Create(CultureInfo.InvariantCulture, $"{version:D8}#{index:D4}"));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static byte[] Compress(byte[] document)
    {
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(document.Length)];
        return BrotliEncoder.TryCompress(document, compressed, out var length, FastestQuality, WindowBits)
            ? compressed[..length]
            : throw new InvalidOperationException($"A row of {document.Length} bytes could not be compressed.");
    }

    private static ReadOnlySpan<byte> Decompress(byte[] compressed)
    {
        for (var size = Math.Max(4096, compressed.Length * 8); ; size *= 4)
        {
            var document = new byte[size];
            if (BrotliDecoder.TryDecompress(compressed, document, out var length))
                return document.AsSpan(0, length);
            if (size > MostBytes)
                throw new InvalidDataException($"A row of {compressed.Length} compressed bytes is damaged, or longer than {MostBytes} bytes.");
        }
    }
}

/// <summary>What of a row no query looks at. Times are microseconds since 1970.</summary>
internal sealed record RowDocument(RowJob Job, RawJson? Notify, string? Cache, long Due, long Until, long Sent);

/// <summary>A job within a document, as Spotter writes it everywhere.</summary>
[JsonConverter(typeof(Converter))]
internal sealed record RowJob(Job Job)
{
    /// <summary>Reads and writes it.</summary>
    public sealed class Converter : JsonConverter<RowJob>
    {
        /// <inheritdoc/>
        public override RowJob Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(JsonSerializer.Deserialize(ref reader, SpotterJson.Default.Job) ?? throw new JsonException("A row has no job."));

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, RowJob value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.Job, SpotterJson.Default.Job);
    }
}

/// <summary>How the items' documents are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(RowDocument))]
[JsonSerializable(typeof(TallyDocument))]
internal sealed partial class AwsJson : JsonSerializerContext;
