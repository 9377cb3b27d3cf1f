using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using MQTTnet;

namespace Spotter.EndToEnd.Watch;

/// <summary>Somebody who listens to a broker, as Home Assistant does.</summary>
internal sealed class Subscriber : IAsyncDisposable
{
    private readonly ConcurrentQueue<Heard> messages = new();
    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();

    public IReadOnlyList<Heard> Messages => [.. messages];

    public static async Task<Subscriber> ConnectAsync(Mosquitto broker, bool withPassword = false)
    {
        var subscriber = new Subscriber();
        subscriber.client.ApplicationMessageReceivedAsync += message =>
        {
            subscriber.messages.Enqueue(new(message.ApplicationMessage.Topic, message.ApplicationMessage.Payload.ToArray(), message.ApplicationMessage.Retain));
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port);
        if (withPassword)
            options = options.WithCredentials(Mosquitto.User, Mosquitto.Password);
        await subscriber.client.ConnectAsync(options.Build());
        await subscriber.client.SubscribeAsync(new MqttClientSubscribeOptionsBuilder().WithTopicFilter("#").Build());
        return subscriber;
    }

    /// <summary>Waits for a message.</summary>
    public async Task<Heard> HearAsync(string topic, Func<Heard, bool>? right = null)
    {
        bool Fits(Heard m) => m.Topic == topic && (right is null || right(m));
        await Eventually.SeeAsync(
            $"a message for {topic}", () => Task.FromResult(Messages.Any(Fits) ? "" : string.Join('\n', Messages.Select(m => $"{m.Topic} {m.Payload.Length} bytes {(m.Payload.Length < 200 ? m.Text : "")}"))),
            missing => missing.Length == 0 && Messages.Any(Fits), TimeSpan.FromSeconds(60));
        return Messages.First(Fits);
    }

    public void Forget() => messages.Clear();

    public async ValueTask DisposeAsync()
    {
        if (client.IsConnected)
            await client.DisconnectAsync(new MqttClientDisconnectOptions());
        client.Dispose();
    }
}

/// <summary>A message that came.</summary>
internal sealed record Heard(string Topic, byte[] Payload, bool IsRetained)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    public JsonElement Json => JsonDocument.Parse(Payload).RootElement;
}
