using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Gateway.Telegram;
using Spotter.Jobs;
using Spotter.Tests.Jobs;

namespace Spotter.Tests.Telegram;

public sealed class TelegramLimitsTests : IAsyncLifetime
{
    private readonly LocalFixture fixture = new();
    private readonly ManualClock clock = new();
    private IInbox inbox = null!;

    public Task InitializeAsync()
    {
        inbox = fixture.Open(clock).Inbox;
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    [Fact]
    public async Task A_chat_that_is_flooded_is_left_out_beyond_its_limit_and_others_are_not()
    {
        var settings = Settings with { MostPendingOfChat = 3 };
        var intake = new TelegramIntake(settings, inbox, clock, NullLogger<TelegramIntake>.Instance);

        await intake.KeepAsync([.. Messages("loud", 0, 5), .. Messages("calm", 5, 2)], default);
        await intake.KeepAsync([.. Messages("loud", 10, 1), .. Messages("calm", 15, 1)], default);

        (await inbox.PendingAsync(settings.Box, "loud", default)).ShouldBe(3);
        (await inbox.PendingAsync(settings.Box, "calm", default)).ShouldBe(3);
    }

    [Fact]
    public async Task There_is_room_again_when_messages_have_been_dealt_with()
    {
        var settings = Settings with { MostPending = 2 };
        var intake = new TelegramIntake(settings, inbox, clock, NullLogger<TelegramIntake>.Instance);
        (await intake.HasRoomAsync(default)).ShouldBeTrue();
        await intake.KeepAsync(Messages("anna", 0, 2), default);
        (await intake.HasRoomAsync(default)).ShouldBeFalse();

        foreach (var entry in await inbox.TakeAsync(settings.Box, 1, TimeSpan.FromSeconds(30), default))
            await inbox.SettleAsync(entry, new InboxOutcome.Done(), default);
        clock.Advance(TimeSpan.FromSeconds(2));

        (await intake.HasRoomAsync(default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_message_that_can_not_be_answered_is_tried_for_a_day_and_then_given_up()
    {
        // Nothing listens there.
        using var api = new TelegramApi(Settings, inbox, clock);
        var handler = new TelegramHandler(Settings, api, null!, null!, inbox, clock);
        const string Update = """{"update_id":1,"message":{"message_id":1,"date":0,"chat":{"id":7,"type":"private"},"text":"hello"}}""";
        await inbox.AddAsync(Settings.Box, [new("1", "7", Update)], default);
        var entry = (await inbox.TakeAsync(Settings.Box, 1, TimeSpan.FromSeconds(30), default)).ShouldHaveSingleItem();

        clock.Advance(Settings.LongestTrial - TimeSpan.FromMinutes(1));
        (await handler.HandleAsync(entry, default)).ShouldBeOfType<InboxOutcome.Again>().CountsAsAttempt.ShouldBeFalse();
        clock.Advance(TimeSpan.FromMinutes(2));

        (await handler.HandleAsync(entry, default)).ShouldBeOfType<InboxOutcome.Done>().Failed.ShouldNotBeNull();
    }

    private static TelegramSettings Settings { get; } = new() { Token = "12345:abcdefghij", Api = new Uri("http://127.0.0.1:1") };

    private static List<InboxMessage> Messages(string chat, int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => new InboxMessage($"{chat}{i}", chat, "{}"))];
}
