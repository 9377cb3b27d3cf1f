using System.Text.Json.Serialization;

namespace Spotter.Jobs;

/// <summary>One of those that a job tells how it ended.</summary>
/// <param name="Channel">The name of the delivery channel that reaches it.</param>
/// <param name="Target">Where to, in the words of that channel: a URL, a chat.</param>
/// <param name="Secret">What signs the delivery; null for what the channel uses by itself.</param>
public sealed record JobNotification(
    string Channel, string Target, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null)
{
    /// <summary>
    /// What answers for the target: deliveries to one endpoint share a limit and a circuit. Null for the target itself;
    /// the channel sets it when it accepts the notification.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Endpoint { get; init; }

    /// <summary>Neither the secret nor the target, which may hold a password.</summary>
    public override string ToString() => $"{nameof(JobNotification)} {Channel}";
}
