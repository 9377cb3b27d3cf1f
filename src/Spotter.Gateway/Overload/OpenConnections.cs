using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway.Overload;

/// <summary>
/// Keeps a bound on connections without letting those that do nothing shut anybody out: when there are too many, the one that
/// has been idle for longest makes room. What may keep a connection busy has bounds of its own (<see cref="LongRequests"/>).
/// </summary>
/// <param name="most">How many there may be.</param>
internal sealed class OpenConnections(int most)
{
    private readonly Lock gate = new();

    // The longest idle first.
    private readonly LinkedList<ConnectionContext> idle = new();
    private int open;

    /// <summary>A connection, from its first byte to its last.</summary>
    public async Task HoldAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var entry = new Entry(new LinkedListNode<ConnectionContext>(connection));
        connection.Features.Set(entry);
        ConnectionContext? victim;
        lock (gate)
        {
            idle.AddLast(entry.Node);
            victim = ++open > most ? idle.First!.Value : null;
            // Gone from here at once, so that who comes before it has ended finds another.
            if (victim is not null)
                idle.RemoveFirst();
        }
        victim?.Abort(new ConnectionAbortedException("Others need the connection."));
        try
        {
            await next(connection);
        }
        finally
        {
            lock (gate)
            {
                open--;
                entry.IsClosed = true;
                Remove(entry);
            }
        }
    }

    /// <summary>A request: its connection is not idle meanwhile.</summary>
    public async Task ServeAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Features.Get<Entry>() is not { } entry)
        {
            await next(http);
            return;
        }
        lock (gate)
            Remove(entry);
        try
        {
            await next(http);
        }
        finally
        {
            lock (gate)
            {
                if (!entry.IsClosed)
                    idle.AddLast(entry.Node);
            }
        }
    }

    private static void Remove(Entry entry) => entry.Node.List?.Remove(entry.Node);

    private sealed class Entry(LinkedListNode<ConnectionContext> node)
    {
        public LinkedListNode<ConnectionContext> Node { get; } = node;

        public bool IsClosed { get; set; }
    }
}
