namespace Spotter.Cli.Watch;

/// <summary>A message to a broker, which keeps it for those who come later.</summary>
/// <param name="Topic">Where it goes.</param>
/// <param name="Payload">Its bytes.</param>
internal sealed record MqttMessage(string Topic, ReadOnlyMemory<byte> Payload)
{
    /// <summary>A message of text.</summary>
    public MqttMessage(string topic, string text)
        : this(topic, System.Text.Encoding.UTF8.GetBytes(text))
    {
    }
}
