using System.Diagnostics;
using System.Text.Json;
using Spotter.Cli.Models;
using Spotter.Core;
using Spotter.Core.Confinement;

namespace Spotter.Cli.Serve;

/// <summary>
/// Finds out what models are in a process of its own, one per model: the process that serves loads no native code,
/// and a file that brings down its reader is only refused.
/// </summary>
/// <param name="isConfined">True for processes that can do nothing else.</param>
/// <param name="data">The data folder, which is none of their business.</param>
internal sealed class ModelInspection(bool isConfined, string data)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Inspects files, several at a time; the listings are in the order of the files.</summary>
    public async Task<IReadOnlyList<ModelListing>> InspectAsync(IReadOnlyList<string> files, CancellationToken cancel)
    {
        using var places = new SemaphoreSlim(Environment.ProcessorCount);
        return await Task.WhenAll(files.Select(async file =>
        {
            await places.WaitAsync(cancel);
            try
            {
                return await InspectAsync(file, cancel);
            }
            finally
            {
                places.Release();
            }
        }));
    }

    private Task<ModelListing> InspectAsync(string file, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(SelfProgram.File, [.. SelfProgram.Arguments, "models", "inspect", file, "--json"]);
        start.Environment.Clear();
        foreach (var (name, value) in ChildEnvironment.Create(scratch: null))
            start.Environment[name] = value;
        // No model says more about itself.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x20000000";
        if (isConfined)
            start.Environment[SandboxRules.Variable] = ChildSandbox.OfInspection(file, data).ToText();
        return InspectAsync(file, start, cancel);
    }

    /// <summary>Inspects a file by a program, which does not outlive the call.</summary>
    internal static async Task<ModelListing> InspectAsync(string file, ProcessStartInfo start, CancellationToken cancel)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using var process = Process.Start(start) ?? throw new SpotterException(ErrorCodes.Internal, $"{start.FileName} can't be started.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var text = await output;
            await errors;
            await process.WaitForExitAsync(limit.Token);
            return Parse(text) ?? Refusal(file, $"its inspection ended with status {process.ExitCode}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Refusal(file, $"its inspection took longer than {Patience.TotalSeconds:0} s");
        }
        finally
        {
            // Whatever ended the wait: nobody else knows the process. One that has ended is left alone.
            process.Kill();
        }
    }

    private static ModelListing? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ModelListingJson.Default.ModelListing);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ModelListing Refusal(string file, string reason) =>
        new(file, 0, Model: null, new(ErrorCodes.ModelInvalid, $"The model {file} can't be used: {reason}."), Facts: []);
}
