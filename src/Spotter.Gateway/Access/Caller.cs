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
    private static readonly object ItemKey = new();

    /// <summary>The name of the key; null without.</summary>
    public string? Key { get; private init; }

    /// <summary>Who makes this request, as <see cref="KeyGuard"/> found out.</summary>
    /// <exception cref="InvalidOperationException">The call was not guarded.</exception>
    public static Caller Of(HttpContext http) => Find(http) ?? throw new InvalidOperationException("This call asks for no caller.");

    /// <summary>As <see cref="Of"/>; null when that is not known.</summary>
    internal static Caller? Find(HttpContext http) => http.Items.TryGetValue(ItemKey, out var caller) ? (Caller)caller! : null;

    /// <summary>Who shows this key.</summary>
    internal static Caller With(ApiKey key) =>
        new(key.Name, key.Tenant, key.Scopes, key.Tenant == ApiKey.AllTenants || key.Scopes.HasFlag(KeyScopes.Operate)) { Key = key.Name };

    /// <summary>Who comes where there are no keys.</summary>
    internal static Caller Anonymous(HttpContext http) =>
        new(ClientAddress.ClassOf(http.Connection.RemoteIpAddress), "", KeyScopes.Submit | KeyScopes.Read | KeyScopes.Operate, SeesAll: true);

    /// <summary>As the application knows callers.</summary>
    public JobCaller AsJobCaller() => new(Tenant, By, SeesAll);

    /// <summary>Notes who makes a request.</summary>
    internal void NoteIn(HttpContext http) => http.Items[ItemKey] = this;
}
