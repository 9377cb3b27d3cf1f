using Spotter.Backends;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws;

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class DynamoInboxTests(Moto moto) : IAsyncLifetime
{
    private const string Box = "telegram:1";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly AwsFixture fixture = new(moto);
    private readonly ManualClock clock = new();

    private IInbox Here { get; set; } = null!;

    private IInbox There { get; set; } = null!;

    public async Task InitializeAsync()
    {
        Here = (await fixture.OpenAsync(clock)).Inbox;
        There = (await fixture.OpenAsync(clock)).Inbox;
    }

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task Two_gateways_deal_with_each_message_once_and_keep_the_order_of_each_conversation()
    {
        const int Each = 8;
        string[] names = ["anna", "bob"];
        using var failed = new CancellationTokenSource();
        var (dealt, underWay, added) = (new List<string>(), new HashSet<string>(StringComparer.Ordinal), 0);
        // Both are sent the same, one after another; and one of its own to each.
        async Task AddAsync(IInbox inbox, string gateway, string name)
        {
            for (var i = 0; i < Each; i++)
                Interlocked.Add(ref added, await inbox.AddAsync(Box, [new($"{name}-both-{i}", name, ""), new($"{name}-{gateway}-{i}", name, "")], default));
        }
        async Task DealAsync(IInbox inbox)
        {
            while (!failed.IsCancellationRequested)
            {
                lock (dealt)
                {
                    if (dealt.Count >= Each * names.Length * 3)
                        return;
                }
                foreach (var entry in await inbox.TakeAsync(Box, 2, Lease, default))
                {
                    lock (dealt)
                        underWay.Add(entry.Conversation).ShouldBeTrue("Two messages of one conversation are dealt with at a time.");
                    await Task.Yield();
                    lock (dealt)
                    {
                        dealt.Add(entry.Id);
                        underWay.Remove(entry.Conversation);
                    }
                    await inbox.SettleAsync(entry, new InboxOutcome.Done(), default);
                }
                await Task.Yield();
            }
        }

        // Without the one that failed the others would never come to an end.
        async Task OrEndAllAsync(Func<Task> work)
        {
            try
            {
                await Task.Run(work);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }
        var adding = names.SelectMany(n => new[] { () => AddAsync(Here, "here", n), () => AddAsync(There, "there", n) });
        await Task.WhenAll(adding.Append(() => DealAsync(Here)).Append(() => DealAsync(There)).Select(OrEndAllAsync)).WaitAsync(TimeSpan.FromSeconds(90));

        added.ShouldBe(dealt.Count);
        dealt.ShouldBeUnique(StringComparer.Ordinal);
        foreach (var kind in names.SelectMany(n => new[] { $"{n}-both-", $"{n}-here-", $"{n}-there-" }))
            dealt.Where(id => id.StartsWith(kind, StringComparison.Ordinal)).ShouldBe(Enumerable.Range(0, Each).Select(i => $"{kind}{i}"));
        (await Here.PendingAsync(Box, null, default)).ShouldBe(0);
    }

    [Fact]
    public async Task What_another_gateway_added_is_found_after_a_while_and_the_table_is_not_asked_meanwhile()
    {
        (await There.TakeAsync(Box, 10, Lease, default)).ShouldBeEmpty();
        await Here.AddAsync(Box, [new("1", "anna", "one")], default);

        (await There.TakeAsync(Box, 10, Lease, default)).ShouldBeEmpty();
        clock.Advance(TimeSpan.FromSeconds(20));

        (await There.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem().Id.ShouldBe("1");
    }

    [Fact]
    public async Task The_lease_of_a_gateway_that_died_passes_to_another_one()
    {
        await Here.AddAsync(Box, [new("1", "anna", "one")], default);
        var lost = (await Here.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem();
        (await There.TakeAsync(Box, 10, Lease, default)).ShouldBeEmpty();
        clock.Advance(Lease);

        var again = (await There.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem();

        (await Here.ExtendAsync(lost, Lease, default)).ShouldBeFalse();
        (await There.ExtendAsync(again, Lease, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task More_messages_than_a_transaction_takes_keep_their_order()
    {
        var big = new string('x', 300_000);
        List<InboxMessage> messages = [.. Enumerable.Range(0, 120).Select(i => new InboxMessage($"{i}", "anna", i < 10 ? big : ""))];

        (await Here.AddAsync(Box, [.. messages, messages[0]], default)).ShouldBe(120);

        (await Here.PendingAsync(Box, "anna", default)).ShouldBe(120);
        (await Here.PendingAsync(Box, null, default)).ShouldBe(120);
        foreach (var expected in messages.Take(12))
        {
            var entry = (await Here.TakeAsync(Box, 1, Lease, default)).ShouldHaveSingleItem();
            (entry.Id, entry.Messages[0].Body).ShouldBe((expected.Id, expected.Body));
            await Here.SettleAsync(entry, new InboxOutcome.Done(), default);
        }
        (await Should.ThrowAsync<SpotterException>(() => Here.AddAsync(Box, [new("big", "bob", big + big)], default))).Code.ShouldBe(ErrorCodes.BodyTooLarge);
    }

    [Fact]
    public async Task The_largest_batch_is_dealt_with_in_several_parts()
    {
        await Here.AddAsync(Box, [.. Enumerable.Range(0, 60).Select(i => new InboxMessage($"{i}", "anna", $"part {i}") { Batch = "album" })], default);
        var first = (await Here.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem();
        await Here.SettleAsync(first, new InboxOutcome.Done(), default);

        var second = (await Here.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem();

        first.Messages.Count.ShouldBe(InboxConversation.MostTogether);
        first.Messages.Concat(second.Messages).Select(m => m.Id).ShouldBe(Enumerable.Range(0, 60).Select(i => $"{i}"));
        second.Earlier.ShouldBe(first.Messages);
    }

    [Fact]
    public async Task What_was_said_is_deleted_when_it_is_dealt_with_and_the_rest_when_it_is_forgotten()
    {
        using var clients = new AwsClients(fixture.Settings);
        var table = new DynamoTable(clients.Dynamo, clients.Faults, fixture.Name, Pace.Real);
        await Here.AddAsync(Box, [new("1", "anna", "a secret"), new("2", "bob", "part") { Batch = "album" }, new("3", "carl", "waits") { Delay = Lease }], default);
        await Here.HoldAsync(Box, "bob", clock.GetUtcNow() + Lease, default);
        await Here.SettleAsync((await Here.TakeAsync(Box, 10, Lease, default)).ShouldHaveSingleItem(), new InboxOutcome.Done(), default);
        (await table.GetAsync(new ItemKey($"msg#{Box}", "1"), default)).ShouldNotBeNull()["body"].S.ShouldBe("");
        clock.Advance(Lease);
        foreach (var entry in await Here.TakeAsync(Box, 10, Lease, default))
            await Here.SettleAsync(entry, new InboxOutcome.Done(), default);
        (await table.GetAsync(new ItemKey($"msg#{Box}", "2"), default)).ShouldNotBeNull()["body"].S.ShouldBe("part");

        var forgotten = await Task.WhenAll(Here.ForgetAsync(clock.GetUtcNow(), 10, default), There.ForgetAsync(clock.GetUtcNow(), 10, default));

        forgotten.Sum().ShouldBe(3);
        foreach (var partition in new[] { $"inbox#{Box}", $"inboxdue#{Box}", $"msg#{Box}", "inboxpast" })
            (await table.QueryAsync(new ItemQuery(partition), default)).ShouldBeEmpty(partition);
    }
}
