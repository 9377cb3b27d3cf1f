using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Spotter.Gateway;

/// <summary>A way in: it reads its protocol, calls <see cref="Jobs.JobService"/> and writes the answers. It sees no store and no other door.</summary>
public interface IDoor
{
    /// <summary>Registers what it is made of: services, hosted services, the delivery channel that answers on it.</summary>
    void Add(IServiceCollection services)
    {
    }

    /// <summary>Maps its calls. One that does not say what scope it needs (<see cref="Access.NeedsKey"/>) needs an operator's key.</summary>
    void Map(IEndpointRouteBuilder routes)
    {
    }
}
