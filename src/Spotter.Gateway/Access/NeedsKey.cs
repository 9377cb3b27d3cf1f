using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace Spotter.Gateway.Access;

/// <summary>
/// Says what scope a key needs to make a call; of several, what stands nearest to the call counts. A call that says nothing
/// needs <see cref="ToOperate"/>; one that anybody may make says <c>AllowAnonymous()</c>.
/// </summary>
/// <param name="Scope">The scope; none for any key.</param>
public sealed record NeedsKey(KeyScopes Scope)
{
    /// <summary>To submit, cancel and redrive jobs.</summary>
    public static readonly NeedsKey ToSubmit = new(KeyScopes.Submit);

    /// <summary>To read the tenant's jobs and pictures.</summary>
    public static readonly NeedsKey ToRead = new(KeyScopes.Read);

    /// <summary>To see all tenants' jobs and how the service is run.</summary>
    public static readonly NeedsKey ToOperate = new(KeyScopes.Operate);

    /// <summary>Any key that is known.</summary>
    public static readonly NeedsKey OfAnyKind = new(KeyScopes.None);

    /// <summary>The authorization policies, one for each of these.</summary>
    internal static IReadOnlyList<NeedsKey> All { get; } = [ToSubmit, ToRead, ToOperate, OfAnyKind];

    /// <summary>The name of its authorization policy.</summary>
    internal string Policy => $"key: {Scope}";

    /// <summary>What a call needs; null when anybody may make it, or when it takes something else than a key.</summary>
    internal static NeedsKey? Of(IEnumerable<object> metadata)
    {
        var all = metadata.ToList();
        return all.OfType<IAllowAnonymous>().Any() || all.OfType<IAuthorizeData>().Any(a => a.AuthenticationSchemes is not null)
            ? null
            : all.OfType<NeedsKey>().LastOrDefault() ?? ToOperate;
    }

    /// <summary>Makes it what ASP.NET Core demands of the calls of a group, which by itself would demand all of several.</summary>
    internal static void Demand(IEndpointConventionBuilder group) => group.Finally(call =>
    {
        if (Of(call.Metadata) is { } needed)
            call.Metadata.Add(new AuthorizeAttribute(needed.Policy));
    });
}
