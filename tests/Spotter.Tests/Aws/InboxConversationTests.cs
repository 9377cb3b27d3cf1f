using System.Text;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Aws;

public sealed class InboxConversationTests
{
    private const long Second = 1_000_000;
    private const long Now = 1_000 * Second;

    [Fact]
    public void The_first_message_says_when_a_conversation_is_due()
    {
        var waiting = InboxConversation.Empty.Add([Message("1", delay: 3), Message("2")], Now);

        waiting.Due.ShouldBe(Now + (3 * Second));
        waiting.Take(Now, Now + Second, "a").ShouldBeNull();
        waiting.Take(waiting.Due, waiting.Due + Second, "a").ShouldNotBeNull().Together.ShouldHaveSingleItem().Id.ShouldBe("1");
        InboxConversation.Empty.Take(Now, Now + Second, "a").ShouldBeNull();
    }

    [Fact]
    public void A_later_message_makes_none_due_sooner()
    {
        var again = Taken("1").Settle(Entry("1"), new InboxOutcome.Again(TimeSpan.FromSeconds(60)), Now).ShouldNotBeNull();

        again.Add([Message("2")], Now + Second).Due.ShouldBe(Now + (60 * Second));
    }

    [Fact]
    public void A_part_that_comes_while_its_batch_is_leased_leaves_the_lease_as_it_is()
    {
        var leased = InboxConversation.Empty.Add([Message("1", batch: "b")], Now).Take(Now, Now + Second, "a").ShouldNotBeNull();

        var more = leased.Add([Message("2", batch: "b", delay: 60)], Now);

        (more.Due, more.Receipt).ShouldBe((Now + Second, "a"));
    }

    [Fact]
    public void A_lease_is_that_of_its_receipt_and_of_the_first_message()
    {
        var taken = Taken("1", "2");

        taken.Extend(Entry("1"), Now + (9 * Second)).ShouldNotBeNull().Due.ShouldBe(Now + (9 * Second));
        taken.Extend(Entry("2"), Now).ShouldBeNull();
        taken.Note(Entry("1") with { Receipt = "another" }, "x").ShouldBeNull();
        taken.Settle(Entry("1") with { Receipt = "another" }, new InboxOutcome.Done(), Now).ShouldBeNull();
    }

    [Fact]
    public void The_end_of_the_first_leaves_nothing_of_it_to_the_next()
    {
        var noted = Taken("1", "2").Note(Entry("1"), "half way").ShouldNotBeNull();
        var tried = noted.Settle(Entry("1"), new InboxOutcome.Again(TimeSpan.Zero), Now).ShouldNotBeNull();
        (tried.Attempts, tried.Notes, tried.Receipt).ShouldBe((1, "half way", null));
        var taken = tried.Take(Now, Now + Second, "r").ShouldNotBeNull();

        var ended = taken.Settle(Entry("1"), new InboxOutcome.Done(), Now).ShouldNotBeNull();

        (ended.Attempts, ended.Notes, ended.Receipt, ended.Due).ShouldBe((0, null, null, Now));
        ended.Waiting.ShouldHaveSingleItem().Id.ShouldBe("2");
    }

    [Fact]
    public void What_was_left_of_a_batch_comes_by_itself_with_what_came_before()
    {
        var taken = InboxConversation.Empty.Add([Message("1", "b"), Message("2", "b"), Message("3", "b")], Now).Take(Now, Now + Second, "r").ShouldNotBeNull();

        var ended = taken.Settle(Entry("1", "2"), new InboxOutcome.Done(), Now).ShouldNotBeNull();

        ended.Together.Select(m => m.Id).ShouldBe(["3"]);
        ended.Earlier.Select(m => m.Id).ShouldBe(["1", "2"]);
    }

    [Fact]
    public void A_hold_lasts_for_what_is_under_way_and_for_what_comes_but_not_for_ever()
    {
        var until = Now + (60 * Second);
        var held = Taken("1", "2").Hold(until, Now).ShouldNotBeNull();
        held.Due.ShouldBe(Now + Second);
        held.Settle(Entry("1"), new InboxOutcome.Again(TimeSpan.Zero), Now).ShouldNotBeNull().Due.ShouldBe(until);
        held.Settle(Entry("1"), new InboxOutcome.Done(), Now).ShouldNotBeNull().Due.ShouldBe(until);
        held.Hold(until - 1, Now).ShouldBeNull();
        InboxConversation.Empty.Hold(Now, Now).ShouldBeNull();

        var empty = InboxConversation.Empty.Hold(until, Now).ShouldNotBeNull();

        (empty.IsEmpty(until - 1), empty.IsEmpty(until)).ShouldBe((false, true));
        empty.Forget(Ids(), until - 1).ShouldBeNull();
        empty.Forget(Ids(), until).ShouldNotBeNull().HeldUntil.ShouldBe(0);
    }

    [Fact]
    public void It_is_empty_when_all_is_dealt_with_and_forgotten()
    {
        var ended = Taken("1").Settle(Entry("1"), new InboxOutcome.Done(), Now).ShouldNotBeNull();
        ended.IsEmpty(Now).ShouldBeTrue();
        var batch = InboxConversation.Empty.Add([Message("1", "b")], Now).Take(Now, Now + Second, "r")!.Settle(Entry("1"), new InboxOutcome.Done(), Now).ShouldNotBeNull();
        batch.IsEmpty(Now).ShouldBeFalse();
        batch.Forget(Ids("2"), Now).ShouldBeNull();

        batch.Forget(Ids("1"), Now).ShouldNotBeNull().IsEmpty(Now).ShouldBeTrue();
    }

    [Fact]
    public void It_always_fits_into_an_item_and_into_a_transaction()
    {
        var all = Enumerable.Range(0, InboxConversation.MostWaiting).Select(i => Message($"{i:D10}", $"{i % 2:D17}")).ToList();
        var full = InboxConversation.Empty.Add(all, Now);
        Should.Throw<SpotterException>(() => full.Add([Message("more")], Now)).Code.ShouldBe(ErrorCodes.Busy);
        while (full.Waiting.Count > InboxConversation.MostWaiting / 2)
        {
            var taken = full.Take(Now, Now + Second, "r").ShouldNotBeNull();
            string[] ids = [.. taken.Together.Select(m => m.Id)];
            ids.Length.ShouldBeInRange(1, InboxConversation.MostTogether);
            Encoding.UTF8.GetByteCount(taken.Write()).ShouldBeLessThan(400_000);
            full = taken.Settle(Entry(ids), new InboxOutcome.Done(), Now).ShouldNotBeNull();
        }

        full.Ended.Count.ShouldBe(InboxConversation.MostRemembered);
    }

    [Fact]
    public void It_is_read_as_it_was_written()
    {
        var all = InboxConversation.Empty.Add([Message("1", "b"), Message("🙂'\"", "b"), Message("3")], Now).Take(Now, Now + Second, "r")!
            .Settle(Entry("1"), new InboxOutcome.Done(), Now)!.Hold(Now + 5, Now)!.Take(Now + 5, Now + Second, "r")!.Note(Entry("🙂'\""), "half way")! with { Attempts = 2 };

        var read = InboxConversation.Read(all.Write());

        read.Waiting.ShouldBe(all.Waiting);
        read.Ended.ShouldBe(all.Ended);
        (read with { Waiting = all.Waiting, Ended = all.Ended }).ShouldBe(all);
        var empty = InboxConversation.Read(InboxConversation.Empty.Write());
        (empty.Waiting.Count, empty.Ended.Count).ShouldBe((0, 0));
    }

    private static InboxMessage Message(string id, string? batch = null, int delay = 0) => new(id, "anna", "") { Batch = batch, Delay = TimeSpan.FromSeconds(delay) };

    private static HashSet<string> Ids(params string[] ids) => new(ids, StringComparer.Ordinal);

    private static InboxConversation Taken(params string[] ids) =>
        InboxConversation.Empty.Add([.. ids.Select(id => Message(id))], Now).Take(Now, Now + Second, "r").ShouldNotBeNull();

    private static InboxEntry Entry(params string[] ids) =>
        new("box", "anna", [.. ids.Select(id => Message(id))], 1, null, "r") { Received = DateTimeOffset.UnixEpoch };
}
