using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Compat;

/// <summary>
/// The endpoints of earlier services that did the same as this one, for their clients: with <c>--compat</c>. What comes in by them
/// is a job like any other. See docs/compat.md.
/// </summary>
internal sealed class CompatDoor : IDoor
{
    public void Add(IServiceCollection services) =>
        services.AddSingleton<UploadPage>().AddSingleton<Predictions>().AddSingleton<RecentJobs>().AddSingleton<RecentResults>();

    public void Map(IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<GatewaySettings>().Compat)
            return;
        var compat = routes.MapGroup("").ExcludeFromDescription();
        compat.MapGet("/", () => TypedResults.Text("Ok")).AllowAnonymous();
        compat.MapGet("/health", ServiceHealth.AnswerAsync).AllowAnonymous();
        compat.MapPost("/", (HttpContext http, UploadPage page) => page.TakeAsync(http)).WithMetadata(CallCost.Submission, NeedsKey.ToSubmit);
        compat.MapPost("/predict", (HttpContext http, Predictions predictions) => predictions.PredictAsync(http)).WithMetadata(CallCost.Submission, NeedsKey.ToSubmit);
        compat.MapGet("/results", Predictions.ResultAsync)
            .WithMetadata(CallCost.Other, NeedsKey.ToRead, new OpensByLink(request => request.Query[Predictions.IdField]));
        compat.MapGet("/recent", (HttpContext http, RecentResults recent) => recent.ShowAsync(http)).WithMetadata(CallCost.Other, NeedsKey.ToRead);
        compat.MapGet("/fetchResults", (HttpContext http, RecentResults recent) => recent.FetchAsync(http)).WithMetadata(CallCost.Other, NeedsKey.ToRead);
    }

    /// <summary>True when a request for <c>/</c> is to get the page: browsers ask for HTML, programs don't.</summary>
    public static bool WantsPage(GatewaySettings settings, HttpRequest request) =>
        !settings.Compat || request.Path != "/" || request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
