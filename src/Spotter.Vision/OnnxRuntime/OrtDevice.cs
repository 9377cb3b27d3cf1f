using Microsoft.ML.OnnxRuntime;
using Spotter.Core;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>Has a session run on a device, as far as the library that is loaded can.</summary>
internal static class OrtDevice
{
    private static readonly Dictionary<Device, string> Providers = new()
    {
        [Device.Cpu] = "CPUExecutionProvider",
        [Device.Cuda] = "CUDAExecutionProvider",
        [Device.TensorRt] = "TensorrtExecutionProvider",
        [Device.DirectMl] = "DmlExecutionProvider",
        [Device.CoreMl] = "CoreMLExecutionProvider",
        [Device.OpenVino] = "OpenVINOExecutionProvider",
    };

    /// <summary>The devices that the library was built for; whether the machine has them shows when a model is loaded.</summary>
    public static IReadOnlyList<Device> Offered()
    {
        var offered = OrtEnv.Instance().GetAvailableProviders();
        return [.. Providers.Where(p => offered.Contains(p.Value, StringComparer.OrdinalIgnoreCase)).Select(p => p.Key)];
    }

    /// <summary>Puts the device before the processor; why it can't be, or null when it is.</summary>
    public static string? Use(SessionOptions options, Device device)
    {
        if (device == Device.Cpu)
            return null;
        var offered = Offered();
        if (!offered.Contains(device))
            return $"the ONNX Runtime in use is built for {NamesOf(offered)}, not for {NameOf(device)}; build Spotter with SPOTTER_ONNXRUNTIME=gpu for CUDA and TensorRT, or name another build in {NativeLibraryPaths.OnnxRuntimeVariable}";
        try
        {
            Append(options, device);
            return null;
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or DllNotFoundException)
        {
            return $"{NameOf(device)} can't be used on this machine ({Reason(e)})";
        }
    }

    /// <summary>Devices as they are asked for, with commas.</summary>
    public static string NamesOf(IEnumerable<Device> devices) => string.Join(", ", devices.Select(NameOf));

    /// <summary>A device as it is asked for, as <c>tensorrt</c>.</summary>
#pragma warning disable CA1308 // Small letters are how it is written.
    public static string NameOf(Device device) => EnumNames.Of(device);
#pragma warning restore CA1308

    /// <summary>The first line of what the library says.</summary>
    public static string Reason(Exception e) => e.Message.Split('\n', 2)[0].Trim().TrimEnd('.');

    private static void Append(SessionOptions options, Device device)
    {
        switch (device)
        {
            case Device.Cuda:
                options.AppendExecutionProvider_CUDA(0);
                break;
            case Device.TensorRt:
                options.AppendExecutionProvider_Tensorrt(0);
                options.AppendExecutionProvider_CUDA(0);
                break;
            case Device.DirectMl:
                // It allows neither patterns of memory nor operators side by side.
                options.EnableMemoryPattern = false;
                options.ExecutionMode = ExecutionMode.ORT_SEQUENTIAL;
                options.AppendExecutionProvider_DML(0);
                break;
            case Device.CoreMl:
                options.AppendExecutionProvider_CoreML();
                break;
            default:
                options.AppendExecutionProvider_OpenVINO();
                break;
        }
    }
}
