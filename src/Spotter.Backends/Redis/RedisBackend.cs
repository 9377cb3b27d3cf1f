using Spotter.Core;
using Spotter.Core.Settings;
using StackExchange.Redis;

namespace Spotter.Backends.Redis;

/// <summary>Jobs whose rows another technology keeps, and whose ids Redis delivers by lists that others may read.</summary>
/// <param name="rows">Keeps the rows.</param>
internal sealed class RedisBackend(IJobRowsModule rows) : IBackendModule
{
    private static readonly Setting<string?> Url = new(
        "redis.url", "The Redis server, as redis://user:password@host:6379/0, or rediss://… for TLS. Others see what is typed: better give it in the environment or a file.",
        SettingValues.OptionalText("URL"), null) { Flag = "--redis", IsSecret = true };

    private static readonly Setting<string?> UrlFile = new("redis.urlFile", "File with that address.", SettingValues.OptionalText("FILE"), null) { Flag = "--redis-file" };

    public string Name => "redis";

    public string Help => "in a PostgreSQL server, delivered by lists in a Redis server";

    public IReadOnlyList<Setting> Settings { get; } = [.. rows.Settings, Url, UrlFile];

    public void Check(SettingReader settings)
    {
        rows.Check(settings);
        if (string.IsNullOrEmpty(settings.GetSecret(Url, UrlFile)))
            settings.Mistake("The backend 'redis' needs the address of a Redis server; give it with --redis URL.");
    }

    public async Task<IReadOnlyList<Probed>> ProbeAsync(SettingReader settings, IReadOnlyCollection<string> queues)
    {
        var found = new List<Probed>(await rows.ProbeAsync(settings, queues));
        if (settings.GetSecret(Url, UrlFile) is { Length: > 0 } address)
            found.Add(await ProbeAsync(address));
        return found;
    }

    public Backend Open(BackendContext context)
    {
        var address = RedisAddress.Parse(context.Settings.GetSecret(Url, UrlFile)!);
        return rows.Open(context, (storeId, jobs, clock) => Open(address, storeId, jobs, clock));
    }

    /// <summary>Reaches the server, or goes on trying: jobs are accepted without it.</summary>
    // The host builds its services in one go, with nothing to wait on; nothing else runs yet that this could block.
    public static RedisDelivery Open(ConfigurationOptions address, string storeId, IJobRows rows, TimeProvider clock) =>
        new(Task.Run(() => RedisLists.OpenAsync(address, storeId)).GetAwaiter().GetResult(), rows, clock, Pace.Real);

    /// <summary>Reaches the server, and changes nothing.</summary>
    internal static async Task<Probed> ProbeAsync(string address)
    {
        const string What = "Redis";
        try
        {
            var parsed = RedisAddress.Parse(address);
            var place = RedisAddress.Describe(parsed);
            parsed.AbortOnConnectFail = true;
            await using var connection = await RedisLists.ConnectAsync(parsed);
            var server = connection.GetServer(connection.GetEndPoints()[0]);
            await connection.GetDatabase().PingAsync();
            if (server.ServerType == ServerType.Cluster)
                return new Probed(What, $"{place} is a Redis Cluster, which keeps what belongs together on several servers; use a single server, with replicas if you like", IsWrong: true);
            return new Probed(What, $"Redis {server.Version} at {place}");
        }
        catch (Exception e) when (RedisFault.IsFault(e) || e is SpotterException)
        {
            return new Probed(What, RedisFault.ToRefusal(e).Message, IsWrong: true);
        }
    }
}
