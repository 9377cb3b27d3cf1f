using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NetVips;
using Spotter.Core;
using Spotter.Vision.LibVips;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Inference;

/// <summary>A native library, or another file from outside, that Spotter needs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Found">Its version and place; null when it cannot be used.</param>
/// <param name="Problem">Why it cannot be used and what to do; null when it can.</param>
public sealed record NativeEngine(string Name, string? Found, string? Problem);

/// <summary>Says what of the native side is here, for diagnosis.</summary>
public static class NativeEngines
{
    /// <summary>Loads each library and asks it who it is.</summary>
    public static IReadOnlyList<NativeEngine> Probe() =>
    [
        Ask("ONNX Runtime", () => $"{OrtSession.LibraryVersion()} for {OrtDevice.NamesOf(OrtDevice.Offered())} at {PlaceOf("onnxruntime")}"),
        Ask("libvips", () => $"{LibVipsVersion()} at {PlaceOf("vips")}"),
        Ask("font for labels", () => LabelFont.File),
    ];

    private static NativeEngine Ask(string name, Func<string> find)
    {
        try
        {
            return new(name, find(), Problem: null);
        }
        catch (Exception e) when (e is SpotterException or VipsException or OnnxRuntimeException or EntryPointNotFoundException)
        {
            return new(name, Found: null, e.Message);
        }
    }

    private static string LibVipsVersion()
    {
        Vips.Start();
        return string.Join('.', Enumerable.Range(0, 3).Select(part => NetVips.NetVips.Version(part)));
    }

    private static string PlaceOf(string name)
    {
        using var self = Process.GetCurrentProcess();
        return self.Modules.Cast<ProcessModule>()
            .FirstOrDefault(module => module.ModuleName.Contains(name, StringComparison.OrdinalIgnoreCase))
            ?.FileName ?? "a place that the system does not tell";
    }
}
