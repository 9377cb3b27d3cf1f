using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spotter.Cli.Catalogue;
using Spotter.Gateway;
using Spotter.Gateway.Access;

namespace Spotter.Cli.Serve;

/// <summary><c>/v1/catalogue</c>: the models that can be downloaded by name, for those who run the service.</summary>
internal sealed class CatalogueDoor : IDoor
{
    public void Add(IServiceCollection services) => services.AddSingleton<ModelPulls>().AddSingleton<IHostedService>(s => s.GetRequiredService<ModelPulls>());

    public void Map(IEndpointRouteBuilder routes)
    {
        var catalogue = routes.MapGroup("/v1/catalogue").WithTags("operations").WithMetadata(CallCost.Other, NeedsKey.ToOperate);

        catalogue.MapGet("", async (ModelPulls pulls, CancellationToken cancel) =>
                TypedResults.Json(await pulls.ShowAsync(cancel), CatalogueJson.Default.CatalogueView))
            .WithName("listCatalogue").WithSummary("The models that can be pulled, and how far those are that are being pulled")
            .Produces<CatalogueView>().Produces<Problem>(502, Problems.MediaType);

        catalogue.MapPost("/{name}", async (string name, ModelPulls pulls, CancellationToken cancel, PullRequest? request = null) =>
                TypedResults.Json(await pulls.StartAsync(name, request?.AcceptLicence, cancel), CatalogueJson.Default.CatalogueOffer, statusCode: StatusCodes.Status202Accepted))
            .WithName("pullModel").WithSummary("Pulls a model into the folder that is served; the catalogue then says how far it is")
            .Produces<CatalogueOffer>(202).Produces<Problem>(422, Problems.MediaType).Produces<Problem>(502, Problems.MediaType).Produces<Problem>(503, Problems.MediaType);
    }
}
