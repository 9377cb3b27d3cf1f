using System.Collections.Concurrent;
using Amazon.Runtime;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Backends.Aws;

/// <summary>
/// Secrets in the Parameter Store of Systems Manager, <c>ssm:NAME</c>, and through it those of Secrets Manager, <c>secretsmanager:NAME</c>
/// (docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html). Each is fetched once.
/// </summary>
/// <param name="open">Makes the client, when the first secret is read; null for the SDK's own way.</param>
public sealed class AwsSecrets(Func<IAmazonSimpleSystemsManagement>? open = null) : ISecretPlace, IDisposable
{
    private const string Parameters = "ssm:";
    private const string Managed = "secretsmanager:";

    private static readonly TimeSpan Connect = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Lazy<IAmazonSimpleSystemsManagement> client = new(open ?? Open);
    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool Has(string name) => name.StartsWith(Parameters, StringComparison.Ordinal) || name.StartsWith(Managed, StringComparison.Ordinal);

    /// <inheritdoc/>
    // Settings are read before there is anything that this could block.
    public string Read(string name) => known.GetOrAdd(name, static (wanted, self) => self.FetchAsync(wanted, CancellationToken.None).GetAwaiter().GetResult(), this);

    /// <summary>Those that were read and are others by now.</summary>
    /// <exception cref="SpotterException">They can't be read.</exception>
    public async Task<IReadOnlyList<string>> ChangedAsync(CancellationToken cancel)
    {
        var changed = new List<string>();
        foreach (var (name, value) in known)
        {
            if (await FetchAsync(name, cancel) != value)
                changed.Add(name);
        }
        return changed;
    }

    /// <summary>True once a secret was read.</summary>
    public bool IsUsed => !known.IsEmpty;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    private async Task<string> FetchAsync(string name, CancellationToken cancel)
    {
        var parameter = name.StartsWith(Managed, StringComparison.Ordinal) ? $"/aws/reference/secretsmanager/{name[Managed.Length..]}" : name[Parameters.Length..];
        try
        {
            return (await client.Value.GetParameterAsync(new GetParameterRequest { Name = parameter, WithDecryption = true }, cancel)).Parameter.Value.Trim();
        }
        catch (ParameterNotFoundException)
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"There is no secret '{name}'; make it, or correct the name or AWS_REGION.");
        }
        catch (AmazonServiceException denied) when (AwsFaults.IsDenied(denied))
        {
            // Not the cause: the answer to refused credentials may repeat what was shown.
            throw new SpotterException(
                ErrorCodes.InvalidSettings, $"The role or user may not read the secret '{name}'; allow ssm:GetParameter, kms:Decrypt{(name.StartsWith(Managed, StringComparison.Ordinal) ? ", secretsmanager:GetSecretValue" : "")} on it.");
        }
        catch (Exception failed) when (AwsFaults.IsFault(failed))
        {
            throw new SpotterException(ErrorCodes.InvalidSettings, $"The secret '{name}' can't be read. {new AwsFaults(new AwsSettings()).ToRefusal(failed).Message}");
        }
    }

    private static AmazonSimpleSystemsManagementClient Open() =>
        new(new AmazonSimpleSystemsManagementConfig { HttpClientFactory = new AwsHttpClients(Connect), RetryMode = RequestRetryMode.Standard, Timeout = Patience });
}
