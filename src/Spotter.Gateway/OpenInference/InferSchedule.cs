using System.Globalization;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.OpenInference;

/// <summary>The parameters of a request: Triton's <c>priority</c> and <c>timeout</c>, and the options of jobs under their own names.</summary>
internal static class InferSchedule
{
    private const string BinaryOutputs = "binary_data_output";

    // Clients of Triton send these whether or not they mean something.
    private static readonly IReadOnlyList<string> Ignored = ["sequence_id", "sequence_start", "sequence_end", BinaryOutputs];

    /// <summary>True when all outputs are wanted in binary that don't say otherwise.</summary>
    public static bool WantsBinary(InferRequest request) => IsTrue(request.Parameters, BinaryOutputs) == true;

    /// <summary>Whether an output is wanted in binary; null when it doesn't say.</summary>
    public static bool? WantsBinary(RequestedOutput output) => IsTrue(output.Parameters, "binary_data");

    /// <summary>Sets what the parameters say.</summary>
    /// <returns>How long the client waits; null when it doesn't say.</returns>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static TimeSpan? Read(InferRequest request, JobForm form)
    {
        TimeSpan? timeout = null;
        foreach (var (name, value) in request.Parameters ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal))
        {
            if (Ignored.Contains(name, StringComparer.Ordinal))
                continue;
            if (name == "priority" && value.ValueKind == JsonValueKind.Number)
            {
                // 0 is the default, 1 the highest, and there is one below the default here.
                if (PriorityOf(value) is { } priority)
                    form.Set(name, priority);
            }
            else if (name == "timeout")
            {
                if (!value.TryGetUInt64Safely(out var microseconds))
                    throw new SpotterException(ErrorCodes.InvalidRequest, "The parameter 'timeout' is a whole number of microseconds.");
                if (microseconds == 0)
                    continue;
                timeout = TimeSpan.FromSeconds(Math.Min(microseconds / 1e6, TimeSpan.FromDays(7).TotalSeconds));
                form.Set("expires", timeout.Value.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture));
            }
            else
            {
                form.Set(name, value);
            }
        }
        return timeout;
    }

    private static string? PriorityOf(JsonElement value) => value.TryGetUInt64Safely(out var level)
        ? level switch { 0 => null, 1 => "high", 2 => "normal", _ => "low" }
        : throw new SpotterException(ErrorCodes.InvalidRequest, "The parameter 'priority' is a whole number: 0 for the default, 1 for the highest.");

    private static bool? IsTrue(IReadOnlyDictionary<string, JsonElement>? parameters, string name) =>
        parameters?.TryGetValue(name, out var value) == true && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.ValueKind == JsonValueKind.True : null;

    private static bool TryGetUInt64Safely(this JsonElement value, out ulong number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out number);
    }
}
