using Spotter.Backends;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>What a store holds of an earlier program, whose jobs had one callback each and whose outbox was the table notices.</summary>
internal static class EarlierCallbacks
{
    private const string Url = "https://a.example/hook?it's=me";

    /// <summary>
    /// Four jobs: a is queued and has a callback, b has ended and its notice failed twice, c has ended and its notice was
    /// delivered, d is queued and has no callback.
    /// </summary>
    /// <param name="id">How an id of 32 hexadecimal digits is written.</param>
    /// <param name="no">How false is written.</param>
    /// <param name="columns">More columns of a job that need a value.</param>
    /// <param name="values">Their values.</param>
    public static string Script(Func<string, string> id, string no, string columns = "", string values = "")
    {
        string Job(char digit, string model, string callback) => $$"""
            INSERT INTO jobs (id, engine, internal, due, created, model, image_key, image_format, image_bytes, image_sha256, options,
                callback_url, callback_secret, callback_receiver{{columns}})
            VALUES ({{id(new string(digit, 32))}}, 'detect', {{no}}, 0, 0, '{{model}}', 'in/{{digit}}', 0, 1, 'x', '{}', {{callback}}{{values}});
            """;
        return $"""
            {Job('1', "a", $"'{Url.Replace("'", "''", StringComparison.Ordinal)}', 'whsec_a', 'https://a.example'")}
            {Job('2', "b", "'https://b.example/', NULL, 'https://b.example'")}
            {Job('3', "c", "'https://c.example:8443/', 'whsec_c', 'https://c.example:8443'")}
            {Job('4', "d", "NULL, NULL, NULL")}
            UPDATE jobs SET state = 5, finished = 7 WHERE model IN ('b', 'c');
            UPDATE notices SET attempts = 2, status = 500, detail = 'It failed.', due = 9 WHERE receiver = 'https://b.example';
            UPDATE notices SET state = 1, attempts = 1, status = 200, ended = 9, secret = NULL WHERE receiver = 'https://c.example:8443';
            """;
    }

    /// <summary>All of it is still told, once, and under the same ids.</summary>
    public static async Task ShouldBeToldAsync(Backend backend)
    {
        (await backend.Jobs.FindAsync(Id('1'), default))!.Notify.ShouldBe([new JobNotification("webhook", Url, "whsec_a") { Endpoint = "https://a.example" }]);
        (await backend.Jobs.FindAsync(Id('4'), default))!.Notify.ShouldBeEmpty();
        (await backend.Outbox.OfAsync(Id('3'), default)).ShouldHaveSingleItem()
            .ShouldBe(new DeliveryStatus(Id('3').Value, "webhook", "https://c.example:8443/", DeliveryState.Delivered, 1, 200, null, null, At(9)));
        (await backend.Outbox.PendingAsync(default)).ShouldBe(1);

        var pending = (await TakeAsync(backend)).ShouldHaveSingleItem();
        (pending.Id, pending.Job, pending.Target, pending.Secret, pending.Endpoint, pending.Attempt)
            .ShouldBe((Id('2').Value, Id('2'), "https://b.example/", null, "https://b.example", 3));

        await backend.Jobs.CancelAsync(Id('4'), by: null, default);
        (await TakeAsync(backend)).ShouldBeEmpty();
        await backend.Jobs.CancelAsync(Id('1'), by: null, default);
        var ended = (await TakeAsync(backend)).ShouldHaveSingleItem();
        (ended.Id, ended.Target, ended.Secret, ended.Endpoint, ended.Attempt).ShouldBe((Id('1').Value, Url, "whsec_a", "https://a.example", 1));

        await backend.Jobs.PurgeAsync(TimeProvider.System.GetUtcNow().AddDays(1), 10, default);
        (await backend.Outbox.PendingAsync(default)).ShouldBe(0);
    }

    private static JobId Id(char digit) => JobId.Parse(new string(digit, 32));

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds);

    private static Task<IReadOnlyList<OutboxEntry>> TakeAsync(Backend backend) =>
        backend.Outbox.TakeAsync("webhook", 10, TimeSpan.FromMinutes(1), [], default);
}
