using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Spotter.Gateway.Deliveries;

namespace Spotter.Gateway.LegacyMessages;

/// <summary>
/// The messages of earlier services, with <c>--compat s0|s1|s2|s3</c>: Spotter takes the place of their workers. What comes in is a
/// job like any other; <see cref="LegacyChannel"/> writes its result. See docs/compat-messages.md.
/// </summary>
internal sealed class LegacyDoor : IDoor
{
    public void Add(IServiceCollection services)
    {
        services.TryAddSingleton(_ => new LegacyDeployment(settings: null, post: null));
        services.AddSingleton<LegacyWorkers>().AddSingleton<LegacyIntake>().AddDeliveryChannel<LegacyChannel>().AddHostedService<LegacyReader>();
    }
}
