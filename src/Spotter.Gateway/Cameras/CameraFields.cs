using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;

namespace Spotter.Gateway.Cameras;

/// <summary>
/// What the address of a call says. Somebody has typed it into the settings of a program, so what is unknown there is a
/// mistake; fields of the form come from the program, and those that mean nothing here are passed over.
/// </summary>
/// <param name="Confidences">The texts of <c>min_confidence</c>.</param>
/// <param name="Timeout">How long the caller waits.</param>
/// <param name="Options">Options of the job, by name.</param>
internal sealed record CameraFields(IReadOnlyList<string> Confidences, TimeSpan Timeout, IReadOnlyList<(string Name, string Value)> Options)
{
    /// <summary>The field with the key.</summary>
    public const string Key = "api_key";

    private const string TimeoutName = "timeout";
    private const double LeastTimeoutSeconds = 0.01;

    private static readonly string[] OptionNames = ["model", "labels", "iou", "tile", "overlap", "roi", "priority"];

    /// <summary>True for a name of <c>min_confidence</c>: one module of CodeProject.AI reads it in camel case.</summary>
    public static bool IsConfidence(string name) => name is "min_confidence" or "minConfidence";

    /// <summary>Reads an address.</summary>
    /// <param name="query">Its query.</param>
    /// <param name="usual">How long a caller waits who doesn't say.</param>
    /// <param name="longest">How long anybody may wait.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidRequest"/>.</exception>
    public static CameraFields Read(IQueryCollection query, TimeSpan usual, TimeSpan longest)
    {
        var (confidences, options, timeout) = (new List<string>(), new List<(string, string)>(), usual);
        foreach (var (name, values) in query)
        {
            if (IsConfidence(name))
                confidences.AddRange(values.Select(v => v ?? ""));
            else if (name == TimeoutName)
                timeout = ReadTimeout(values.ToString(), longest);
            else if (name == Key)
                throw Invalid($"The field '{Key}' does not belong into the address, where others can see it; send it as a field of the form.");
            else if (OptionNames.Contains(name, StringComparer.Ordinal))
                options.AddRange(values.Select(v => (name, v ?? "")));
            else
                throw Invalid($"The address has a field '{name}', which is unknown; known are min_confidence, {TimeoutName}, {string.Join(", ", OptionNames)}.");
        }
        return new CameraFields(confidences, timeout, options);
    }

    /// <summary>The model that the address names; null for none.</summary>
    public string? Model => Options.FirstOrDefault(o => o.Name == "model").Value;

    /// <summary>Says them to a form, all but the model, together with what is the same for all cameras.</summary>
    public void Fill(JobForm form)
    {
        foreach (var (name, value) in Options.Where(o => o.Name != "model"))
            form.SetFromAddress(name, value);
        // What waits for hours in a backlog of other work is no answer to a camera.
        if (Options.All(o => o.Name != "priority"))
            form.Set("priority", "high");
        form.Set("expires", Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture));
    }

    private static TimeSpan ReadTimeout(string text, TimeSpan longest) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds >= LeastTimeoutSeconds && seconds <= longest.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw Invalid(string.Create(CultureInfo.InvariantCulture, $"The field '{TimeoutName}' is not a number of seconds from {LeastTimeoutSeconds} to {longest.TotalSeconds}."));

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
