using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Deliveries;
using Spotter.Jobs;

namespace Spotter.Gateway.Telegram;

/// <summary>
/// The Telegram bot. Updates come by webhook or are fetched, are kept in the inbox, and answered from there: what is said at
/// once by <see cref="TelegramHandler"/>, what takes a job by <see cref="TelegramChannel"/>.
/// </summary>
internal sealed class TelegramDoor : IDoor
{
    public void Add(IServiceCollection services) => services
        .AddSingleton(s => new TelegramBot(
            s.GetService<TelegramDeployment>()?.Settings, s.GetRequiredService<GatewaySettings>(), s.GetService<IInbox>(), s.GetRequiredService<JobService>(), s.GetRequiredService<JobDrawings>(),
            s.GetRequiredService<EngineCatalogue>(), s.GetRequiredService<ModelCatalogue>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<TelegramIntake>>()))
        .AddSingleton<TelegramWebhook>()
        .AddDeliveryChannel<TelegramChannel>()
        .AddHostedService<TelegramService>();

    public void Map(IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetService<TelegramDeployment>()?.Settings is null)
            return;
        // Telegram shows a secret of its own.
        routes.MapPost(TelegramWebhook.Path, (HttpContext http, TelegramWebhook webhook, CancellationToken cancel) => webhook.ReceiveAsync(http, cancel))
            .AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/loadTest", (HttpContext http, TelegramWebhook webhook, CancellationToken cancel) => webhook.TryLoadAsync(http, cancel))
            .WithMetadata(CallCost.Submission, NeedsKey.ToSubmit).ExcludeFromDescription();
    }
}
