namespace Spotter.Jobs;

/// <summary>Names of delivery channels that have a field of their own in a request.</summary>
public static class ChannelNames
{
    /// <summary>What the field <c>callback</c> asks for.</summary>
    public const string Webhook = "webhook";
}
