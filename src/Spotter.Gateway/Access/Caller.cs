using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Spotter.Jobs;

namespace Spotter.Gateway.Access;

/// <summary>Who makes a request.</summary>
/// <param name="By">The name that jobs carry: the key's; without keys from where it came (<c>local</c>, <c>network</c>, <c>internet</c>).</param>
/// <param name="Tenant">Whose jobs it makes; empty without keys.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="SeesAll">True for who sees all tenants' jobs: everybody without keys, else operators.</param>
public sealed record Caller(string By, string Tenant, KeyScopes Scopes, bool SeesAll)
{
    /// <summary>The name of the key; null without.</summary>
    public string? Key { get; private init; }

    /// <summary>Who makes this request.</summary>
    /// <exception cref="InvalidOperationException">The call takes no key.</exception>
    public static Caller Of(HttpContext http) => Find(http) ?? throw new InvalidOperationException("This call asks for no caller.");

    /// <summary>As <see cref="Of"/>; null when that is not known.</summary>
    internal static Caller? Find(HttpContext http) => (http.User.Identity as CallerIdentity)?.Caller;

    /// <summary>Who shows this key.</summary>
    internal static Caller With(ApiKey key) =>
        new(key.Name, key.Tenant, key.Scopes, key.Tenant == ApiKey.AllTenants || key.Scopes.HasFlag(KeyScopes.Operate)) { Key = key.Name };

    /// <summary>Who shows a link to the one job that is asked for, whosever it is.</summary>
    internal static Caller WithLink { get; } = new("link", "", KeyScopes.Read, SeesAll: true);

    /// <summary>Who comes where there are no keys.</summary>
    internal static Caller Anonymous(HttpContext http) =>
        new(ClientAddress.ClassOf(http.Connection.RemoteIpAddress), "", KeyScopes.Submit | KeyScopes.Read | KeyScopes.Operate, SeesAll: true);

    /// <summary>As the application knows callers.</summary>
    public JobCaller AsJobCaller() => new(Tenant, By, SeesAll) { MayList = SeesAll || Scopes.HasFlag(KeyScopes.Read) };
}

/// <summary>A caller as ASP.NET Core knows users: its name, its tenant, and a claim for each scope.</summary>
/// <param name="caller">The caller.</param>
internal sealed class CallerIdentity(Caller caller) : ClaimsIdentity(ClaimsOf(caller), ApiKeyHandler.SchemeName, NameClaim, roleType: null)
{
    /// <summary>The claim that says a scope.</summary>
    public const string ScopeClaim = "scope";

    private const string NameClaim = "name";
    private const string TenantClaim = "tenant";

    /// <summary>The caller.</summary>
    public Caller Caller { get; } = caller;

    private static IEnumerable<Claim> ClaimsOf(Caller caller) =>
        [new(NameClaim, caller.By), new(TenantClaim, caller.Tenant), .. ApiKey.NamesOf(caller.Scopes).Select(scope => new Claim(ScopeClaim, scope))];
}
