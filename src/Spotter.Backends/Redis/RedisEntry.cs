using System.Globalization;
using Spotter.Jobs;

namespace Spotter.Backends.Redis;

/// <summary>What the lists are told of one job (<see cref="RedisScripts.Apply"/>).</summary>
/// <param name="Id">The job.</param>
/// <param name="What">What is to be done.</param>
/// <param name="Value">Of a job that waits: where.</param>
/// <param name="HiddenUntil">Of a job that has a lease: until when it is not looked at.</param>
/// <param name="Known">What has to be known of it for that; empty when nothing has.</param>
internal sealed record RedisEntry(JobId Id, string What, string Value, long HiddenUntil, string Known)
{
    private const string Wait = "wait";
    private const string Add = "add";
    private const string Lease = "lease";
    private const string NoPlace = "----------------";

    // A lease that has run out, and that nobody has taken back yet.
    private static readonly long LookAgain = Microseconds.From(TimeSpan.FromSeconds(5));

    /// <summary>It waits for nobody.</summary>
    public static RedisEntry Gone(JobId id, string known = "") => new(id, "gone", "", 0, known);

    /// <summary>It waits, unless that is known, or it has been delivered.</summary>
    public static RedisEntry OfNew(JobPlace place) => new(place.Id, Add, ValueOf(place), 0, "");

    /// <summary>It stands as its row says.</summary>
    public static RedisEntry Of(JobPlace place, long now, string known = "") => place.State switch
    {
        JobState.Queued => new(place.Id, Wait, ValueOf(place), 0, known),
        JobState.Running => new(place.Id, Lease, "", Math.Max(place.LeasedUntil ?? 0, now + LookAgain), known),
        _ => Gone(place.Id, known),
    };

    /// <summary>Known when it is hidden until then.</summary>
    public static string WhileHidden(string until) => "L" + until;

    /// <summary>Known while this is its value.</summary>
    public static string WhileItIs(string value) => "J" + value;

    /// <summary>True when a value says where its row says that the job waits.</summary>
    public static bool IsOf(string value, JobPlace place)
    {
        var bare = ValueOf(place);
        var at = bare.IndexOf(NoPlace, StringComparison.Ordinal);
        return value.Length == bare.Length && value.AsSpan(0, at).SequenceEqual(bare.AsSpan(0, at))
            && value.AsSpan(at + NoPlace.Length).SequenceEqual(bare.AsSpan(at + NoPlace.Length));
    }

    /// <summary>A time or a ticket as the scripts compare them.</summary>
    public static string Number(long number) => Math.Clamp(number, 0, RedisScripts.Never).ToString(RedisScripts.Digits, CultureInfo.InvariantCulture);

    private static string ValueOf(JobPlace place) =>
        $"{Number(place.Ticket)}{Number(place.Due)}{Number(Math.Min(place.Expires ?? RedisScripts.Never, RedisScripts.Never - (place.Expires is null ? 0 : 1)))}"
        + $"{((int)place.Priority).ToString(CultureInfo.InvariantCulture)}{NoPlace}{place.Queue}";
}
