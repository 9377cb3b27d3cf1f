using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Channel;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Spotter.Cli.Remote;
using Spotter.Core;

namespace Spotter.Cli.Watch;

/// <summary>
/// Brings results to a broker, which keeps the last of each topic. What can't be sent waits; of that the newest few are kept. Whoever
/// subscribes is told by the broker when this program is gone, however that came.
/// </summary>
/// <param name="address">The broker.</param>
/// <param name="topics">Where messages go.</param>
/// <param name="greeting">What is said of this source after each connection: the broker may have lost what it knew.</param>
/// <param name="isAvailable">Whether the source and the service can be used now.</param>
/// <param name="connection">How the broker stands.</param>
/// <param name="random">For the client's id.</param>
internal sealed class MqttConnection(
    MqttAddress address, MqttTopics topics, IReadOnlyList<MqttMessage> greeting, Func<bool> isAvailable, Connection connection, RandomSource random)
{
    private const int MostWaiting = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly Channel<MqttMessage> waiting = Channel.CreateBounded<MqttMessage>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly string id = $"spotter-{topics.Id}-{random.NextHex(4)}";
    private MqttMessage? unsent;

    /// <summary>Has a message sent as soon as the broker can be reached.</summary>
    public void Send(MqttMessage message) => waiting.Writer.TryWrite(message);

    /// <summary>Says whether the source and the service can be used.</summary>
    public void SendAvailability() => Send(Availability(isAvailable()));

    /// <summary>Says that no more messages come; those that wait are still sent.</summary>
    public void Close() => waiting.Writer.TryComplete();

    /// <summary>Sends until there is nothing more to send, or until it is cancelled; connects as often as it takes.</summary>
    /// <exception cref="SpotterException">The broker refuses user and password.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            using var client = new MqttClientFactory().CreateMqttClient();
            client.DisconnectedAsync += _ => EndAsync(lost);
            string why;
            try
            {
                await ConnectAsync(client, cancel);
                connection.Works();
                foreach (var message in greeting.Append(Availability(isAvailable())))
                    await PublishAsync(client, message, lost.Token);
                await PublishAllAsync(client, lost.Token);
                await SayGoodbyeAsync(client);
                return;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                await SayGoodbyeAsync(client);
                throw;
            }
            catch (Exception away) when (away is MqttCommunicationException or MqttProtocolViolationException or IOException or SocketException or AuthenticationException or OperationCanceledException)
            {
                why = lost.IsCancellationRequested ? "the connection is lost" : WhyOf(away);
            }
            await connection.FailedAsync(why, cancel);
        }
    }

    private static async Task EndAsync(CancellationTokenSource lost)
    {
        try
        {
            await lost.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    private async Task ConnectAsync(IMqttClient client, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        var answer = await client.ConnectAsync(Options(), limit.Token);
        if (answer.ResultCode == MqttClientConnectResultCode.Success)
            return;
        if (!connection.HasWorked && answer.ResultCode is MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized)
            throw new SpotterException(ErrorCodes.Unauthorized, $"{connection.Name} refuses the user and password; give them as --mqtt mqtt://USER@HOST and --mqtt-password-file FILE.");
        throw new MqttCommunicationException($"it refuses the connection, {answer.ResultCode}");
    }

    private MqttClientOptions Options() => new()
    {
        ClientId = id,
        // What every broker speaks.
        ProtocolVersion = MqttProtocolVersion.V311,
        CleanSession = true,
        KeepAlivePeriod = KeepAlive,
        Timeout = Patience,
        Credentials = address.Credentials is { } user ? new MqttClientCredentials(user.UserName, Encoding.UTF8.GetBytes(user.Password)) : null,
        WillTopic = topics.Availability,
        WillPayload = "offline"u8.ToArray(),
        WillRetain = true,
        WillQualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
#pragma warning disable RS0030 // Its connections come from Outgoing.
        ChannelOptions = new MqttClientTcpOptions { RemoteEndpoint = new DnsEndPoint(address.Host, address.Port), StreamProvider = new Streams(address) },
#pragma warning restore RS0030
    };

    private async Task PublishAllAsync(IMqttClient client, CancellationToken lost)
    {
        while (unsent is not null || await waiting.Reader.WaitToReadAsync(lost))
        {
            if (unsent is null && !waiting.Reader.TryRead(out unsent))
                continue;
            await PublishAsync(client, unsent!, lost);
            unsent = null;
        }
    }

    private static Task PublishAsync(IMqttClient client, MqttMessage message, CancellationToken cancel) => client.PublishAsync(
        new MqttApplicationMessageBuilder().WithTopic(message.Topic).WithPayload(message.Payload.ToArray()).WithRetainFlag().WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(),
        cancel);

    /// <summary>The last will is for those who go without a word.</summary>
    private async Task SayGoodbyeAsync(IMqttClient client)
    {
        using var limit = new CancellationTokenSource(Farewell);
        try
        {
            if (!client.IsConnected)
                return;
            await PublishAsync(client, Availability(isOnline: false), limit.Token);
            await client.DisconnectAsync(new MqttClientDisconnectOptions(), limit.Token);
        }
        catch (Exception gone) when (gone is MqttCommunicationException or MqttProtocolViolationException or IOException or SocketException or OperationCanceledException)
        {
            // The broker finds that out by itself, and sends the will.
        }
    }

    private MqttMessage Availability(bool isOnline) => new(topics.Availability, isOnline ? "online" : "offline");

    private static string WhyOf(Exception away)
    {
        var cause = away;
        while (cause is MqttCommunicationException && cause.InnerException is { } inner)
            cause = inner;
        return cause switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "connection refused",
            SocketException { SocketErrorCode: SocketError.HostNotFound } => "no such host",
            AuthenticationException => $"its certificate is not trusted: {cause.Message.TrimEnd('.')}",
            _ => ServiceClient.Why(cause),
        };
    }

    /// <summary>Connections that keep to their server.</summary>
    private sealed class Streams(MqttAddress address) : IMqttClientStreamProvider
    {
        public Task<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) => Outgoing.ConnectAsync(address.Host, address.Port, address.IsSecure, cancellationToken);
    }
}
