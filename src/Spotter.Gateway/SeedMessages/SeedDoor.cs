using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Spotter.Gateway.Deliveries;

namespace Spotter.Gateway.SeedMessages;

/// <summary>
/// The messages of earlier services, with <c>--compat s1|s2|s3</c>: Spotter takes the place of their workers. What comes in is a
/// job like any other; <see cref="SeedChannel"/> writes its result. See docs/compat-messages.md.
/// </summary>
internal sealed class SeedDoor : IDoor
{
    public void Add(IServiceCollection services)
    {
        services.TryAddSingleton(_ => new SeedDeployment(settings: null, post: null));
        services.AddSingleton<SeedWorkers>().AddSingleton<SeedIntake>().AddDeliveryChannel<SeedChannel>().AddHostedService<SeedReader>();
    }
}
