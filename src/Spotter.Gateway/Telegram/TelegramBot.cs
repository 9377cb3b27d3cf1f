using Microsoft.Extensions.Logging;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Telegram;

/// <summary>The bot of this deployment, if it has one, and what it is made of.</summary>
internal sealed class TelegramBot : IDisposable
{
    private readonly Parts? parts;

    /// <summary>Puts it together; nothing is reached before it is used.</summary>
    public TelegramBot(
        TelegramSettings? settings, GatewaySettings gateway, IInbox? inbox, JobService jobs, JobDrawings drawings, EngineCatalogue engines, ModelCatalogue models, TimeProvider time,
        ILogger<TelegramIntake> log)
    {
        Settings = settings;
        if (Settings is null)
            return;
        if (inbox is null)
            throw new InvalidOperationException("A Telegram bot needs an inbox; register an IInbox.");
        var api = new TelegramApi(Settings, inbox, time);
        var pictures = new TelegramPictures(Settings, gateway, api, jobs, engines, models);
        parts = new Parts(
            new TelegramIntake(Settings, inbox, time, log), inbox, api, new TelegramAnswers(api, drawings), new TelegramHandler(Settings, api, pictures, new ChatView(Settings, jobs, models), inbox, time));
    }

    /// <summary>What it is told; null where there is no bot.</summary>
    public TelegramSettings? Settings { get; }

    /// <summary>Keeps what comes in.</summary>
    public TelegramIntake Intake => There.Intake;

    /// <summary>Where its messages wait.</summary>
    public IInbox Inbox => There.Inbox;

    /// <summary>The way to the Bot API.</summary>
    public TelegramApi Api => There.Api;

    /// <summary>Writes answers.</summary>
    public TelegramAnswers Answers => There.Answers;

    /// <summary>Deals with messages.</summary>
    public TelegramHandler Handler => There.Handler;

    private Parts There => parts ?? throw new InvalidOperationException("This deployment has no Telegram bot.");

    /// <inheritdoc/>
    public void Dispose() => parts?.Api.Dispose();

    private sealed record Parts(TelegramIntake Intake, IInbox Inbox, TelegramApi Api, TelegramAnswers Answers, TelegramHandler Handler);
}
