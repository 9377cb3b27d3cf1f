using Spotter.Jobs;

namespace Spotter.Conformance;

/// <summary>What every <see cref="IInbox"/> does. A new adapter adds a subclass and nothing else.</summary>
public abstract class InboxConformance : IAsyncLifetime
{
    private const string Box = "telegram:1";
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    protected ManualClock Clock { get; } = new();

    private IInbox Inbox { get; set; } = null!;

    public async Task InitializeAsync() => Inbox = await OpenAsync(Clock);

    public async Task DisposeAsync() => await CloseAsync();

    /// <summary>Opens an empty inbox.</summary>
    protected abstract Task<IInbox> OpenAsync(TimeProvider clock);

    /// <summary>Closes and deletes it.</summary>
    protected abstract Task CloseAsync();

    [Fact]
    public async Task A_message_is_taken_once_and_is_gone_when_it_is_dealt_with()
    {
        (await AddAsync("1", "anna", "hello")).ShouldBe(1);
        var came = Clock.GetUtcNow();
        Clock.Advance(Quiet);

        var entry = (await TakeAsync()).ShouldHaveSingleItem();

        (entry.Box, entry.Conversation, entry.Id, entry.Attempt, entry.Notes, entry.Received).ShouldBe((Box, "anna", "1", 1, null, came));
        entry.Messages.ShouldHaveSingleItem().Body.ShouldBe("hello");
        entry.Earlier.ShouldBeEmpty();
        entry.ToString().ShouldNotContain("hello");
        (await TakeAsync()).ShouldBeEmpty();
        (await Inbox.PendingAsync(Box, null, default)).ShouldBe(1);
        await Inbox.SettleAsync(entry, new InboxOutcome.Done(), default);
        Clock.Advance(LeaseTime * 2);
        (await TakeAsync()).ShouldBeEmpty();
        (await Inbox.PendingAsync(Box, null, default)).ShouldBe(0);
    }

    [Fact]
    public async Task The_same_message_again_is_left_out_whatever_became_of_the_first()
    {
        await AddAsync("1", "anna", "hello");
        (await AddAsync("1", "anna", "hello")).ShouldBe(0);
        var entry = (await TakeAsync()).ShouldHaveSingleItem();
        (await AddAsync("1", "anna", "hello")).ShouldBe(0);
        await Inbox.SettleAsync(entry, new InboxOutcome.Done(), default);

        (await Inbox.AddAsync(Box, [new("1", "anna", "hello"), new("2", "anna", "you")], default)).ShouldBe(1);

        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe("2");
    }

    [Fact]
    public async Task Of_many_that_add_the_same_at_a_time_one_does()
    {
        var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => AddAsync("1", "anna", "hello"))));

        added.Sum().ShouldBe(1);
        (await TakeAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Boxes_know_nothing_of_each_other()
    {
        await AddAsync("1", "anna", "hello");
        (await Inbox.AddAsync("telegram:2", [new("1", "anna", "hello")], default)).ShouldBe(1);

        (await TakeAsync()).ShouldHaveSingleItem().Box.ShouldBe(Box);
        (await Inbox.TakeAsync("telegram:2", 10, LeaseTime, default)).ShouldHaveSingleItem().Box.ShouldBe("telegram:2");
        (await Inbox.TakeAsync("telegram:3", 10, LeaseTime, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Those_of_a_conversation_are_taken_one_after_another_and_others_meanwhile()
    {
        await Inbox.AddAsync(Box, [new("1", "anna", "one"), new("2", "anna", "two"), new("3", "bob", "three"), new("4", "anna", "four")], default);

        var first = await TakeAsync();
        first.Select(e => e.Id).ShouldBe(["1", "3"]);
        await Inbox.SettleAsync(first[0], new InboxOutcome.Done(), default);
        var second = (await TakeAsync()).ShouldHaveSingleItem();
        second.Id.ShouldBe("2");
        await Inbox.SettleAsync(second, new InboxOutcome.Done(), default);

        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe("4");
    }

    [Fact]
    public async Task Many_that_add_and_take_at_a_time_keep_the_order_of_each_conversation()
    {
        const int Each = 12;
        string[] names = ["anna", "bob", "carl"];
        var adding = Task.WhenAll(names.Select(name => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await AddAsync($"{name}{i:00}", name, "");
        })));
        var dealt = new List<string>();
        var underWay = new HashSet<string>(StringComparer.Ordinal);
        async Task DealAsync()
        {
            while (true)
            {
                lock (dealt)
                {
                    if (dealt.Count == Each * names.Length)
                        return;
                }
                foreach (var entry in await Inbox.TakeAsync(Box, 2, LeaseTime, default))
                {
                    lock (dealt)
                        underWay.Add(entry.Conversation).ShouldBeTrue("Two messages of one conversation are dealt with at a time.");
                    lock (dealt)
                    {
                        dealt.Add(entry.Id);
                        underWay.Remove(entry.Conversation);
                    }
                    await Inbox.SettleAsync(entry, new InboxOutcome.Done(), default);
                }
                await Task.Yield();
            }
        }

        await Task.WhenAll([adding, .. Enumerable.Range(0, 3).Select(_ => Task.Run(DealAsync))]).WaitAsync(TimeSpan.FromSeconds(60));

        foreach (var name in names)
            dealt.Where(id => id.StartsWith(name, StringComparison.Ordinal)).ShouldBe(Enumerable.Range(0, Each).Select(i => $"{name}{i:00}"));
    }

    [Fact]
    public async Task What_is_to_be_dealt_with_is_counted_for_all_and_for_each_conversation()
    {
        await Inbox.AddAsync(Box, [new("1", "anna", "one"), new("2", "anna", "two"), new("3", "bob", "three")], default);
        await Inbox.SettleAsync((await TakeAsync())[0], new InboxOutcome.Done(), default);

        (await Inbox.PendingAsync(Box, null, default)).ShouldBe(2);
        (await Inbox.PendingAsync(Box, "anna", default)).ShouldBe(1);
        (await Inbox.PendingAsync(Box, "bob", default)).ShouldBe(1);
        (await Inbox.PendingAsync(Box, "carl", default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_delayed_message_is_due_when_its_delay_is_over()
    {
        await Inbox.AddAsync(Box, [new("1", "anna", "later") { Delay = Quiet }], default);

        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(Quiet);
        (await TakeAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_again_and_the_old_one_has_no_effect()
    {
        await Inbox.AddAsync(Box, [new("1", "anna", "one"), new("2", "anna", "two")], default);
        var lost = (await TakeAsync()).ShouldHaveSingleItem();
        (await Inbox.NoteAsync(lost, "half way", default)).ShouldBeTrue();
        Clock.Advance(LeaseTime);

        var again = (await TakeAsync()).ShouldHaveSingleItem();

        (again.Id, again.Attempt, again.Notes).ShouldBe(("1", 1, "half way"));
        (await Inbox.NoteAsync(lost, "too late", default)).ShouldBeFalse();
        await Inbox.SettleAsync(lost, new InboxOutcome.Done(), default);
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(LeaseTime);
        (await TakeAsync()).ShouldHaveSingleItem().Notes.ShouldBe("half way");
    }

    [Fact]
    public async Task A_lease_that_is_extended_lasts_from_then_on()
    {
        await AddAsync("1", "anna", "one");
        var entry = (await TakeAsync()).ShouldHaveSingleItem();
        Clock.Advance(LeaseTime - TimeSpan.FromSeconds(1));
        (await Inbox.ExtendAsync(entry, LeaseTime, default)).ShouldBeTrue();
        Clock.Advance(LeaseTime - TimeSpan.FromSeconds(1));
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(TimeSpan.FromSeconds(1));

        (await TakeAsync()).ShouldHaveSingleItem();

        (await Inbox.ExtendAsync(entry, LeaseTime, default)).ShouldBeFalse();
        Clock.Advance(LeaseTime);
        (await TakeAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task One_that_is_tried_again_keeps_its_conversation_waiting_and_counts_attempts()
    {
        await Inbox.AddAsync(Box, [new("1", "anna", "one"), new("2", "anna", "two")], default);
        await Inbox.SettleAsync((await TakeAsync())[0], new InboxOutcome.Again(Quiet), default);

        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(Quiet);
        var second = (await TakeAsync()).ShouldHaveSingleItem();
        (second.Id, second.Attempt).ShouldBe(("1", 2));
        await Inbox.SettleAsync(second, new InboxOutcome.Again(Quiet, CountsAsAttempt: false), default);
        Clock.Advance(Quiet);
        var third = (await TakeAsync()).ShouldHaveSingleItem();
        third.Attempt.ShouldBe(2);
        await Inbox.SettleAsync(third, new InboxOutcome.Done(), default);

        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe("2");
    }

    [Fact]
    public async Task A_batch_is_taken_together_once_it_has_been_quiet_and_waits_for_the_last()
    {
        await AddPartAsync("1", "anna", "album");
        Clock.Advance(Quiet / 2);
        await AddPartAsync("2", "bob", "album");
        await AddAsync("3", "anna", "in between");
        Clock.Advance(Quiet / 4);
        await AddPartAsync("4", "anna", "album");
        Clock.Advance(Quiet / 2);
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(Quiet / 2);

        var taken = await TakeAsync();

        taken.Select(e => string.Join('+', e.Messages.Select(m => m.Id))).ShouldBe(["2", "1+4"]);
        taken[1].Messages.Select(m => m.Body).ShouldBe(["part 1", "part 4"]);
        await Inbox.SettleAsync(taken[1], new InboxOutcome.Done(), default);
        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe("3");
    }

    [Fact]
    public async Task Parts_that_come_to_several_at_a_time_are_one_batch()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => AddPartAsync($"{i}", "anna", "album"))));
        Clock.Advance(Quiet);

        var entry = (await TakeAsync()).ShouldHaveSingleItem();

        entry.Messages.Select(m => m.Id).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 8).Select(i => $"{i}"));
    }

    [Fact]
    public async Task A_part_that_comes_when_its_batch_was_taken_comes_later_with_what_came_before()
    {
        await AddPartAsync("1", "anna", "album");
        await AddPartAsync("2", "anna", "album");
        Clock.Advance(Quiet);
        var batch = (await TakeAsync()).ShouldHaveSingleItem();
        await AddPartAsync("3", "anna", "album");
        (await TakeAsync()).ShouldBeEmpty();
        await Inbox.SettleAsync(batch, new InboxOutcome.Done(), default);
        Clock.Advance(Quiet);

        var late = (await TakeAsync()).ShouldHaveSingleItem();

        late.Messages.ShouldHaveSingleItem().Id.ShouldBe("3");
        late.Earlier.Select(m => (m.Id, m.Body)).ShouldBe([("1", "part 1"), ("2", "part 2")]);
    }

    [Fact]
    public async Task A_batch_whose_taker_is_lost_is_taken_again_whole_and_with_what_came_meanwhile()
    {
        await AddPartAsync("1", "anna", "album");
        await AddPartAsync("2", "anna", "album");
        Clock.Advance(Quiet);
        (await TakeAsync()).ShouldHaveSingleItem().Messages.Count.ShouldBe(2);
        await AddPartAsync("3", "anna", "album");
        Clock.Advance(LeaseTime);

        (await TakeAsync()).ShouldHaveSingleItem().Messages.Select(m => m.Id).ShouldBe(["1", "2", "3"]);
    }

    [Fact]
    public async Task A_conversation_that_is_held_waits_and_others_do_not()
    {
        await AddAsync("1", "anna", "one");
        var until = Clock.GetUtcNow() + Quiet;
        await Inbox.HoldAsync(Box, "anna", until, default);
        await Inbox.HoldAsync(Box, "anna", until - TimeSpan.FromSeconds(1), default);
        await Inbox.HoldAsync(Box, "carl", until, default);
        await Inbox.AddAsync(Box, [new("2", "anna", "two"), new("3", "bob", "three"), new("4", "carl", "four")], default);

        (await TakeAsync()).ShouldHaveSingleItem().Id.ShouldBe("3");
        (await Inbox.HeldUntilAsync(Box, "anna", default)).ShouldBe(until);
        (await Inbox.HeldUntilAsync(Box, "bob", default)).ShouldBeNull();
        Clock.Advance(Quiet);
        (await TakeAsync()).Select(e => e.Id).ShouldBe(["1", "4"]);
        (await Inbox.HeldUntilAsync(Box, "anna", default)).ShouldBeNull();
    }

    [Fact]
    public async Task One_that_is_tried_again_waits_for_the_end_of_a_hold()
    {
        await AddAsync("1", "anna", "one");
        var entry = (await TakeAsync()).ShouldHaveSingleItem();
        await Inbox.HoldAsync(Box, "anna", Clock.GetUtcNow() + (Quiet * 2), default);
        await Inbox.SettleAsync(entry, new InboxOutcome.Again(TimeSpan.Zero), default);

        Clock.Advance(Quiet);
        (await TakeAsync()).ShouldBeEmpty();
        Clock.Advance(Quiet);
        (await TakeAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_first_to_claim_a_message_has_it_for_good()
    {
        await AddAsync("1", "anna", "one");

        var claims = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => Inbox.ClaimAsync(Box, "1", $"c{i}", default))));

        claims.Count(won => won).ShouldBe(1);
        var winner = $"c{Array.IndexOf(claims, true)}";
        (await Inbox.ClaimAsync(Box, "1", winner, default)).ShouldBeTrue();
        (await Inbox.ClaimAsync(Box, "1", "another", default)).ShouldBeFalse();
        (await Inbox.ClaimAsync(Box, "none", "another", default)).ShouldBeFalse();
        await Inbox.SettleAsync((await TakeAsync())[0], new InboxOutcome.Done(), default);
        (await Inbox.ClaimAsync(Box, "1", winner, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task What_was_dealt_with_long_ago_is_forgotten_and_nothing_else()
    {
        await AddAsync("1", "anna", "one");
        await AddAsync("2", "bob", "two");
        await Inbox.SettleAsync((await TakeAsync())[0], new InboxOutcome.Done(), default);
        Clock.Advance(Quiet);
        (await Inbox.ForgetAsync(Clock.GetUtcNow() - Quiet, 10, default)).ShouldBe(0);

        (await Inbox.ForgetAsync(Clock.GetUtcNow(), 10, default)).ShouldBe(1);

        (await AddAsync("1", "anna", "one")).ShouldBe(1);
        (await AddAsync("2", "bob", "two")).ShouldBe(0);
    }

    [Fact]
    public async Task Readers_are_woken_by_what_is_new_and_not_by_what_is_known()
    {
        var wakes = 0;
        using (Inbox.WhenFilled(() => wakes++))
        {
            await AddAsync("1", "anna", "one");
            await AddAsync("1", "anna", "one");
        }
        await AddAsync("2", "anna", "two");

        wakes.ShouldBe(1);
    }

    [Fact]
    public async Task Odd_words_come_out_as_they_went_in()
    {
        const string Odd = """{"text":"a\u0000b \ud83d 🙂 ' \" -- ; DROP TABLE"}""";
        await Inbox.AddAsync(Box, [new("🙂'", "-100:7 '\"", Odd) { Batch = "%_'" }], default);

        var entry = (await TakeAsync()).ShouldHaveSingleItem();

        (entry.Id, entry.Conversation, entry.Messages[0].Body).ShouldBe(("🙂'", "-100:7 '\"", Odd));
    }

    private Task<int> AddAsync(string id, string conversation, string body) => Inbox.AddAsync(Box, [new(id, conversation, body)], default);

    private Task<int> AddPartAsync(string id, string conversation, string batch) =>
        Inbox.AddAsync(Box, [new(id, conversation, $"part {id}") { Batch = batch, Delay = Quiet }], default);

    private Task<IReadOnlyList<InboxEntry>> TakeAsync() => Inbox.TakeAsync(Box, 10, LeaseTime, default);
}
