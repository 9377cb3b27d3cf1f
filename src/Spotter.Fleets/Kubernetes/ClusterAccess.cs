using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Spotter.Core;

namespace Spotter.Fleets.Kubernetes;

/// <summary>How the API server of a cluster is reached.</summary>
/// <param name="Server">Its address.</param>
/// <param name="Namespace">The namespace that is meant unless another one is named.</param>
/// <param name="Token">The token to show; asked before each call, since tokens are renewed. Null for none.</param>
internal sealed record ClusterAccess(Uri Server, string Namespace, Func<CancellationToken, Task<string?>> Token)
{
    /// <summary>Where a pod finds what its service account is given.</summary>
    public const string AccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Those who sign the server's certificate; none for those that this machine trusts.</summary>
    public X509Certificate2Collection Authorities { get; init; } = [];

    /// <summary>The certificate to show; null for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Not the token.</summary>
    public override string ToString() => nameof(ClusterAccess);

    /// <summary>That of the pod in which this runs; null outside of one.</summary>
    /// <param name="variable">Reads the environment.</param>
    /// <param name="account">The folder of its service account.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: the pod is given no account.</exception>
    public static ClusterAccess? OfPod(Func<string, string?> variable, string account = AccountFolder)
    {
        if (variable("KUBERNETES_SERVICE_HOST") is not { Length: > 0 } host || variable("KUBERNETES_SERVICE_PORT") is not { Length: > 0 } port)
            return null;
        var token = Path.Combine(account, "token");
        if (!File.Exists(token))
        {
            throw new SpotterException(
                ErrorCodes.InvalidSettings, $"There is no {token}: give the pod a service account, with automountServiceAccountToken: true, or name a kubeconfig file.");
        }
        var server = host.Contains(':', StringComparison.Ordinal) ? $"https://[{host}]:{port}" : $"https://{host}:{port}";
        return new ClusterAccess(new Uri(server), Read(Path.Combine(account, "namespace")) ?? "default", cancel => ReadTokenAsync(token, cancel))
        {
            Authorities = AuthoritiesOf(Read(Path.Combine(account, "ca.crt"))),
        };
    }

    /// <summary>The token that a file has now: whoever renews it writes it anew.</summary>
    public static async Task<string?> ReadTokenAsync(string file, CancellationToken cancel)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, cancel)).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable, $"The token for the API server of Kubernetes can't be read from {file}: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>The certificates in a text; none in no text.</summary>
    public static X509Certificate2Collection AuthoritiesOf(string? pem)
    {
        var found = new X509Certificate2Collection();
        if (pem is not null)
            found.ImportFromPem(pem);
        return found;
    }

    /// <summary>A certificate with its key, both as PEM.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: they are no such thing.</exception>
    public static X509Certificate2 CertificateOf(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (CryptographicException wrong)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, string.Create(CultureInfo.InvariantCulture, $"The client certificate of the kubeconfig file can't be read: {wrong.Message}"), wrong);
        }
    }

    private static string? Read(string file) => File.Exists(file) ? File.ReadAllText(file).Trim() : null;
}
