using Spotter.Backends;
using Spotter.Backends.Postgres;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Jobs;

/// <summary>How a database comes to the present layout.</summary>
[NeedsPostgres]
[Collection(PostgresServer.Name)]
public sealed class PostgresSchemaTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly JobPriority[] Levels = [JobPriority.High, JobPriority.Normal, JobPriority.Low];
    private readonly PostgresFixture fixture = new(server);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task However_many_begin_at_once_the_schema_is_made_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var backends = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Open())));

            await backends[0].Jobs.AddAsync([SampleJobs.New()], default);
            (await backends[5].Jobs.CountAsync(default)).Jobs.Queued.ShouldBe(1);
            foreach (var backend in backends)
                await backend.DisposeAsync();
            await fixture.RunAsync($"DROP SCHEMA {fixture.Schema} CASCADE");
        }
    }

    [Fact]
    public async Task A_schema_that_is_newer_is_refused_and_left_alone()
    {
        await Open().DisposeAsync();
        await fixture.RunAsync($"UPDATE {fixture.Schema}.version SET version = {PostgresSchema.Newest + 1}");

        var refusal = Should.Throw<SpotterException>(() => Open());

        refusal.Code.ShouldBe(ErrorCodes.StoreUnavailable);
        refusal.Message.ShouldContain("newer program");
    }

    [Fact]
    public async Task A_schema_of_an_earlier_program_is_taken_over_with_all_that_is_in_it()
    {
        await using (var earlier = await fixture.ConnectAsync())
            PostgresSchema.Update(earlier, fixture.Schema, newest: 1);
        const string Sent = "(id, engine, model, queue, name, tenant, priority, state, internal, due, created, image_key, image_format, image_bytes, image_sha256, options";
        const string Others = """{"confidence":0.5,"filter":{"kind":"concat","sides":"top-down"},"others":[{"key":"in/11/2","format":"webp","bytes":2,"sha256":"b"},{"key":"in/11/3","format":"png","bytes":3,"sha256":"c"}],"drawing":null}""";
        const string Labels = """{"confidence":0.5,"labels":["\u0000 {\"others\":null}"],"filter":null,"others":null,"drawing":null}""";
        const string Drawing = """{"confidence":0.25,"filter":null,"others":null,"drawing":{"width":8,"height":6,"detections":[{"label":"\u0000","box":{}}]}}""";
        const string Options = """{"confidence":0.25,"filter":null,"others":null,"drawing":null}""";
        await fixture.RunAsync($$"""
            INSERT INTO jobs {{Sent}}, not_before, expires, callback_url, callback_receiver)
            VALUES ('{{Id(1)}}', 'filter', NULL, 'filter', 'a "b".jpg', 'acme', 0, 0, false, 1767268800000001, 1, 'in/11/1', 3, 1, 'a', '{{Others}}',
                1767268800000001, 1767355200000000, 'https://a.example/hook', 'https://a.example');
            INSERT INTO jobs {{Sent}}, epoch, attempts, worker, leased_until, solo)
            VALUES ('{{Id(2)}}', 'detect', 'm', 'detect/m', NULL, '', 1, 1, false, 1, 1, 'in/22/1', 0, 1, 'a', '{{Labels}}', 3, 2, 'w', 1, true);
            INSERT INTO jobs {{Sent}}, started, finished, result, timings, output, work_key, model_version)
            VALUES ('{{Id(3)}}', 'detect', 'm', 'detect/m', NULL, '', 2, 2, false, 1, 1, 'in/33/1', 1, 1, 'a', '{{Options}}',
                2001, 5, '{"width":7}', '{"inferMs":15}', 'out/33/1', 'work', 'v1');
            INSERT INTO jobs {{Sent}}, finished, error) VALUES
                ('{{Id(4)}}', 'detect', 'm', 'detect/m', NULL, '', 1, 4, false, 1, 1, 'in/44/1', 2, 1, 'a', '{{Options}}', 5, '{"code":"x","detail":"y"}');
            INSERT INTO jobs {{Sent}}) VALUES ('{{Id(5)}}', 'annotate', NULL, 'annotate', NULL, '', 1, 0, true, 1, 1, 'in/33/1', 0, 1, 'a', '{{Drawing}}');
            INSERT INTO jobs {{Sent}}) VALUES ('{{Id(6)}}', 'annotate', NULL, 'annotate', NULL, '', 1, 0, true, 2, 2, 'in/66/1', 0, 1, 'a', '{{Options}}');
            UPDATE jobs SET expired = true WHERE id = '{{Id(4)}}';
            INSERT INTO deliveries (job, queue, priority, visible_at) SELECT id, queue, priority, due FROM jobs WHERE state <= 1;
            INSERT INTO tallies SELECT engine, coalesce(model, ''), internal, state, 1 FROM jobs;
            """);

        var jobs = Open().Jobs;

        var queued = (await jobs.FindAsync(Id(1), default)).ShouldNotBeNull();
        queued.Spec.Inputs.ShouldBe([new("in/11/1", "image/gif", 1, "a"), new("in/11/2", "image/webp", 2, "b"), new("in/11/3", "image/png", 3, "c")]);
        (queued.Engine, queued.Model, queued.Name, queued.Priority, queued.Tenant, queued.Ticket).ShouldBe(("filter", null, "a \"b\".jpg", JobPriority.High, "acme", 1));
        queued.Spec.NotBefore.ShouldBe(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddMicroseconds(1));
        (queued.Expires, queued.Spec.Expires).ShouldBe((DateTimeOffset.UnixEpoch.AddSeconds(1767355200), DateTimeOffset.UnixEpoch.AddSeconds(1767355200)));
        queued.Notify.ShouldBe([new JobNotification(ChannelNames.Webhook, "https://a.example/hook") { Endpoint = "https://a.example" }]);
        // Engines read what they are told where they look for it now.
        queued.Spec.Parameters.ToString().ShouldBe("""{"kind":"concat","sides":"top-down"}""");
        (await jobs.FindAsync(Id(5), default))!.Spec.Parameters.ToString().ShouldBe(
            """{"result":{"width":8,"height":6,"detections":[{"label":"\u0000","box":{}}]},"confidence":0}""");
        using (var parameters = System.Text.Json.JsonDocument.Parse((await jobs.FindAsync(Id(2), default))!.Spec.Parameters.Utf8))
        {
            parameters.RootElement.EnumerateObject().Select(p => p.Name).ShouldNotContain(name => name == "others");
            parameters.RootElement.GetProperty("labels")[0].GetString().ShouldBe("\0 {\"others\":null}");
        }

        var succeeded = (await jobs.FindCachedAsync("", "work", "v1", default)).ShouldNotBeNull();
        (succeeded.Id, succeeded.Result.ToString(), succeeded.Output, succeeded.Timings).ShouldBe(
            (Id(3), """{"width":7}""", "out/33/1", new JobTimings { InferMs = 15, QueuedMs = 2 }));
        succeeded.Spec.Parameters.ToString().ShouldNotContain("others");

        var counts = await jobs.CountAsync(default);
        counts.Jobs.ShouldBe(new JobCounts(1, 1, 1, 0, 1, 0) { Ended = 2, InternalQueued = 2 });
        counts.Backlogs.Select(b => (b.Queue, b.Priority, b.Queued, b.InternalQueued, b.Left))
            .ShouldBe([("filter", JobPriority.High, 1, 0, 0), ("annotate", JobPriority.Normal, 0, 2, 0)], ignoreOrder: true);
        (await jobs.UnknownBlobsAsync(["in/11/1", "in/11/3", "in/22/1", "in/33/1", "out/33/1", "in/44/1", "in/77/1"], default)).ShouldBe(["in/44/1", "in/77/1"], ignoreOrder: true);

        var running = new Lease(Id(2), "detect/m", 3, 2, "w");
        (await jobs.ExtendAsync([running], Patience, Patience, default)).ShouldBe([true]);
        (await jobs.FinishAsync(running, SampleJobs.Done(), default)).ShouldNotBeNull();
        var taken = await jobs.TakeAsync(new TakeRequest(["annotate", "filter"], Levels, ["v", "w", "x"], Patience), default);
        taken.Jobs.Select(t => t.Job.Id).ShouldBe([Id(5), Id(6)]);
        (await jobs.CountAsync(default)).Jobs.ShouldBe(new JobCounts(1, 0, 2, 0, 1, 0) { Ended = 3, InternalRunning = 2 });

        static JobId Id(int number) => JobId.Parse(new string((char)('0' + number), JobId.Length));
    }

    [Fact]
    public async Task Lists_and_dead_letters_of_an_earlier_program_are_found_in_their_new_indexes()
    {
        await using (var earlier = await fixture.ConnectAsync())
            PostgresSchema.Update(earlier, fixture.Schema, newest: 7);
        await fixture.RunAsync(EarlierLists.Script(id => $"'{id}'", no: "false", (", input_keys", ", ARRAY[]::text[]")));
        await fixture.RunAsync("UPDATE jobs SET error_code = substring(error FROM '\"code\":\"([^\"]*)\"')");

        await EarlierLists.ShouldBeFoundAsync(Open().Jobs);
    }

    private Backend Open() => fixture.Open(TimeProvider.System, random: RandomSource.System);
}
