namespace Spotter.Gateway;

/// <summary>The delivery channels that a door of the gateway offers by a field of its own.</summary>
internal static class ChannelNames
{
    /// <summary>What the field <c>callback</c> asks for.</summary>
    public const string Webhook = "webhook";
}
