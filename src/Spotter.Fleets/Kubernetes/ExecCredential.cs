using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Spotter.Core;

namespace Spotter.Fleets.Kubernetes;

/// <summary>What a program of a kubeconfig file says: the token to show, and until when.</summary>
internal sealed record ExecCredential(ExecCredentialStatus? Status = null);

/// <summary>The token.</summary>
internal sealed record ExecCredentialStatus(string? Token = null, DateTimeOffset? ExpirationTimestamp = null);

/// <summary>A program that is asked for tokens, as <c>aws eks get-token</c>.</summary>
/// <param name="program">The program.</param>
/// <param name="arguments">Its arguments.</param>
/// <param name="variables">Its variables besides this process's own.</param>
/// <param name="version">The API version in which it is to answer.</param>
/// <param name="time">The clock.</param>
internal sealed class ExecTokens(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> variables, string version, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EarlyBy = TimeSpan.FromSeconds(30);

    private ExecCredentialStatus? latest;

    /// <summary>The latest token, or a new one where that is about to end.</summary>
    /// <exception cref="SpotterException">The program gives none; the message says why.</exception>
    public async Task<string?> TokenAsync(CancellationToken cancel)
    {
        if (latest is { Token: { } known } && (latest.ExpirationTimestamp is not { } end || time.GetUtcNow() < end - EarlyBy))
            return known;
        var text = await AskAsync(cancel);
        try
        {
            latest = JsonSerializer.Deserialize(text, KubernetesJson.Default.ExecCredential)?.Status;
        }
        catch (JsonException broken)
        {
            throw Failed("answered with something that is no ExecCredential", broken);
        }
        return latest?.Token ?? throw Failed("gave no token; certificates are not supported", inner: null);
    }

    private async Task<string> AskAsync(CancellationToken cancel)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = $$$"""{"apiVersion":"{{{version}}}","kind":"ExecCredential","spec":{"interactive":false}}""";
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        Process? process = null;
        try
        {
            process = Process.Start(start)!;
            process.StandardInput.Close();
            var text = await process.StandardOutput.ReadToEndAsync(either.Token);
            await process.WaitForExitAsync(either.Token);
            return process.ExitCode == 0 ? text : throw Failed($"ended with status {process.ExitCode}", inner: null);
        }
        catch (Win32Exception missing)
        {
            throw Failed($"can't be started ({missing.Message})", missing);
        }
        catch (OperationCanceledException late) when (!cancel.IsCancellationRequested)
        {
            throw Failed($"did not answer within {Patience.TotalSeconds:0} s", late);
        }
        finally
        {
            if (process is { HasExited: false })
                process.Kill(entireProcessTree: true);
            process?.Dispose();
        }
    }

    private SpotterException Failed(string how, Exception? inner) =>
        new(ErrorCodes.StoreUnavailable, $"The program {program}, which the kubeconfig file names for tokens, {how}.", inner);
}
