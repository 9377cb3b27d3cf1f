using System.Globalization;

namespace Spotter.Tests.Aws.Model;

/// <summary>A standard queue of SQS: messages in no order, at least once, and worse than any real one, since it loses some.</summary>
internal sealed class ModelQueue(string name, ModelCloud cloud, int mostInFlight)
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(4);
    private static readonly TimeSpan LongestHidden = TimeSpan.FromHours(12);

    private readonly Dictionary<long, Message> messages = [];
    private readonly List<Message> visible = [];
    private readonly PriorityQueue<(Message Message, int Move), DateTimeOffset> hidden = new();
    private long next;
    private DateTimeOffset nextCleaning;

    public string Name => name;

    public int InFlight { get; private set; }

    public int MostSeenInFlight { get; private set; }

    public long Lost { get; private set; }

    public long Doubled { get; private set; }

    public long OverLimit { get; private set; }

    private sealed class Message(long id, string body, DateTimeOffset sent)
    {
        public long Id => id;

        public string Body => body;

        public DateTimeOffset Sent => sent;

        /// <summary>How often it was received: the number in its latest handle.</summary>
        public int Receives { get; set; }

        public DateTimeOffset Received { get; set; }

        /// <summary>Rises with each change of where it is.</summary>
        public int Move { get; set; }

        public bool IsInFlight { get; set; }

        /// <summary>Among those to be received; -1 for others.</summary>
        public int Place { get; set; } = -1;
    }

    /// <summary>Those to be received, now or after a delay.</summary>
    public int Count
    {
        get
        {
            Settle();
            return messages.Count - InFlight;
        }
    }

    public IEnumerable<string> Bodies => messages.Values.Select(m => m.Body);

    public bool HasLimitReached => InFlight >= mostInFlight;

    public void Send(string body, int delay)
    {
        if (cloud.Chance(cloud.Faults.Lost))
        {
            Lost++;
            return;
        }
        var message = new Message(++next, body, cloud.Now);
        messages[message.Id] = message;
        if (delay > 0)
            Hide(message, TimeSpan.FromSeconds(delay));
        else
            Show(message);
    }

    public void NoteOverLimit() => OverLimit++;

    public List<(string Body, string Handle)> Receive(int most, int seconds)
    {
        Settle();
        var received = new List<(string, string)>();
        while (received.Count < most && visible.Count > 0 && !HasLimitReached)
        {
            var message = visible[cloud.Below(visible.Count)];
            message.Received = cloud.Now;
            message.Receives++;
            received.Add((message.Body, string.Create(CultureInfo.InvariantCulture, $"{message.Id}:{message.Receives}")));
            if (cloud.Chance(cloud.Faults.Doubled))
            {
                Doubled++;
                if (cloud.Chance(0.5))
                    continue;
            }
            Take(message);
            message.IsInFlight = true;
            MostSeenInFlight = Math.Max(MostSeenInFlight, ++InFlight);
            Hide(message, TimeSpan.FromSeconds(seconds));
        }
        return received;
    }

    /// <summary>An old handle may delete it or not, and so may a new one.</summary>
    public void Delete(string handle)
    {
        var (message, isLatest) = Find(handle);
        if (message is null || cloud.Chance(isLatest ? cloud.Faults.Undeleted : 0.5))
            return;
        Remove(message);
    }

    /// <summary>False when the handle is not, or no longer, that of a message that is hidden.</summary>
    public bool Change(string handle, int seconds)
    {
        Settle();
        var (message, isLatest) = Find(handle);
        if (message is not { IsInFlight: true } || !isLatest || cloud.Now + TimeSpan.FromSeconds(seconds) > message.Received + LongestHidden)
            return false;
        message.Move++;
        if (seconds > 0)
        {
            Hide(message, TimeSpan.FromSeconds(seconds));
            return true;
        }
        Land(message);
        Show(message);
        return true;
    }

    public int Purge()
    {
        var lost = messages.Count;
        foreach (var message in messages.Values.ToList())
            Remove(message);
        Lost += lost;
        return lost;
    }

    private (Message? Message, bool IsLatest) Find(string handle)
    {
        var parts = handle.Split(':');
        var message = messages.GetValueOrDefault(long.Parse(parts[0], CultureInfo.InvariantCulture));
        return (message, message?.Receives.ToString(CultureInfo.InvariantCulture) == parts[1]);
    }

    private void Settle()
    {
        while (hidden.TryPeek(out var first, out var until) && until <= cloud.Now)
        {
            hidden.Dequeue();
            if (first.Message.Move != first.Move || !messages.ContainsKey(first.Message.Id))
                continue;
            Land(first.Message);
            Show(first.Message);
        }
        if (cloud.Now < nextCleaning)
            return;
        nextCleaning = cloud.Now + TimeSpan.FromHours(1);
        foreach (var old in messages.Values.Where(m => cloud.Now - m.Sent > Retention).ToList())
            Remove(old);
    }

    private void Hide(Message message, TimeSpan time)
    {
        message.Move++;
        hidden.Enqueue((message, message.Move), cloud.Now + time);
    }

    private void Show(Message message)
    {
        message.Move++;
        message.Place = visible.Count;
        visible.Add(message);
    }

    private void Land(Message message)
    {
        if (!message.IsInFlight)
            return;
        message.IsInFlight = false;
        InFlight--;
    }

    private void Take(Message message)
    {
        if (message.Place < 0)
            return;
        var last = visible[^1];
        visible[message.Place] = last;
        last.Place = message.Place;
        visible.RemoveAt(visible.Count - 1);
        message.Place = -1;
    }

    private void Remove(Message message)
    {
        Take(message);
        Land(message);
        message.Move++;
        messages.Remove(message.Id);
    }
}
