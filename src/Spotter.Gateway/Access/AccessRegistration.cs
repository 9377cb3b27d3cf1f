using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Spotter.Gateway.Access;

/// <summary>Registers who gets in.</summary>
internal static class AccessRegistration
{
    /// <summary>Adds API keys as the way in of every call that says nothing else.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton(s =>
        {
            var settings = s.GetRequiredService<GatewaySettings>();
            return new KeyRing(
                settings.KeysFile is { } file ? new KeyFile(file) : null, settings.KeysRequired, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<KeyRing>>());
        }).AddSingleton<OpenDoor>().AddSingleton<SignedLinks>().AddSingleton<FormKeys>()
            .AddSingleton<AuditLog>().AddHostedService(s => s.GetRequiredService<AuditLog>());
        // Not AddAuthentication, which also keeps keys of its own in the home folder to encrypt cookies with.
        services.AddAuthenticationCore(options => options.DefaultScheme = ApiKeyHandler.SchemeName).AddScheme<ApiKeyHandler>(ApiKeyHandler.SchemeName);
        var access = services.AddAuthorizationBuilder().SetFallbackPolicy(PolicyOf(NeedsKey.ToOperate));
        foreach (var needed in NeedsKey.All)
            access.AddPolicy(needed.Policy, PolicyOf(needed));
        return services;
    }

    /// <summary>Adds a way to know who makes a call.</summary>
    public static IServiceCollection AddScheme<THandler>(this IServiceCollection services, string name)
        where THandler : class, IAuthenticationHandler =>
        services.Configure<AuthenticationOptions>(options => options.AddScheme<THandler>(name, displayName: null));

    private static AuthorizationPolicy PolicyOf(NeedsKey needed)
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser();
        foreach (var scope in ApiKey.NamesOf(needed.Scope))
            policy.RequireClaim(CallerIdentity.ScopeClaim, scope);
        return policy.Build();
    }
}
