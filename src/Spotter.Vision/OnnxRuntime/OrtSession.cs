using Microsoft.ML.OnnxRuntime;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>One loaded model. Runs on many threads at once.</summary>
internal sealed class OrtSession : IDisposable
{
    private static readonly Lazy<RunOptions> NeverCancelled = new(StartLibrary);

    private readonly InferenceSession session;

    private OrtSession(InferenceSession session, Device device, string? notDevice)
    {
        this.session = session;
        (Device, NotOnDevice) = (device, notDevice);
        Inputs = [.. session.InputNames.Select(name => OrtPort.Of(name, session.InputMetadata[name]))];
        Outputs = [.. session.OutputNames.Select(name => OrtPort.Of(name, session.OutputMetadata[name]))];
        Producer = session.ModelMetadata.ProducerName;
        Metadata = session.ModelMetadata.CustomMetadataMap;
    }

    public IReadOnlyList<OrtPort> Inputs { get; }

    /// <summary>What it runs on.</summary>
    public Device Device { get; }

    /// <summary>Why it does not run on the device that was asked for; null when it does.</summary>
    public string? NotOnDevice { get; }

    public IReadOnlyList<OrtPort> Outputs { get; }

    public string Producer { get; }

    /// <summary>The model's own key-value notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The library's version.</summary>
    /// <exception cref="Core.SpotterException"><see cref="Core.ErrorCodes.NativeMissing"/>.</exception>
    public static string LibraryVersion()
    {
        _ = NeverCancelled.Value;
        return OrtEnv.Instance().GetVersionString();
    }

    /// <summary>Loads a model for a device, or for the processor where that can't be had.</summary>
    /// <param name="file">The ONNX file.</param>
    /// <param name="threads">Threads that share the work of one run; 1 is the calling thread alone.</param>
    /// <param name="optimize">False when the model is looked at and not run.</param>
    /// <param name="device">What it is to run on.</param>
    /// <exception cref="OnnxRuntimeException">The library can't load it.</exception>
    public static OrtSession Load(string file, int threads, bool optimize, Device device = Device.Cpu)
    {
        _ = NeverCancelled.Value;
        if (device == Device.Cpu)
            return Load(file, threads, optimize, device, notDevice: null);
        try
        {
            return Load(file, threads, optimize, device, notDevice: null);
        }
        catch (OnnxRuntimeException e)
        {
            // It may be the device's fault. If it is the model's, the processor says so too.
            return Load(file, threads, optimize, Device.Cpu, $"the model can't be loaded on {OrtDevice.NameOf(device)} ({OrtDevice.Reason(e)})");
        }
    }

    private static OrtSession Load(string file, int threads, bool optimize, Device device, string? notDevice)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
        };
        // A thread that waits must not take a core from another lane.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        if (OrtDevice.Use(options, device) is { } without)
            (device, notDevice) = (Device.Cpu, without);
        var loaded = new InferenceSession(Path.GetFullPath(file), options);
        try
        {
            return new OrtSession(loaded, device, notDevice);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Runs the model. The outputs live until disposed.</summary>
    /// <param name="inputs">A tensor for each of <see cref="Inputs"/>, in their order.</param>
    /// <param name="outputs">Indexes of the outputs that are wanted.</param>
    /// <param name="cancel">Ends the run before its next operator.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public OrtOutputs Run(IReadOnlyCollection<OrtValue> inputs, ReadOnlySpan<int> outputs, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        if (!cancel.CanBeCanceled)
            return Run(NeverCancelled.Value, inputs, outputs);
        using var options = new RunOptions();
        try
        {
            // Waits for a cancelling that is under way, so the options are there for as long as they are used.
            using var onCancel = cancel.UnsafeRegister(static state => ((RunOptions)state!).Terminate = true, options);
            return Run(options, inputs, outputs);
        }
        catch (OnnxRuntimeException ended) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(ended.Message, ended, cancel);
        }
    }

    public void Dispose() => session.Dispose();

    private OrtOutputs Run(RunOptions options, IReadOnlyCollection<OrtValue> inputs, ReadOnlySpan<int> outputs)
    {
        var wanted = new string[outputs.Length];
        for (var i = 0; i < wanted.Length; i++)
            wanted[i] = session.OutputNames[outputs[i]];
        var values = session.Run(options, session.InputNames, inputs, wanted);
        try
        {
            return new OrtOutputs(values);
        }
        catch
        {
            values.Dispose();
            throw;
        }
    }

    /// <summary>Makes the library's environment; what it has to say goes to our log and not, in colours, to standard error.</summary>
    private static RunOptions StartLibrary()
    {
        NativeLibraries.LoadOnnxRuntime();
        var options = new EnvironmentCreationOptions { logId = "spotter", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, loggingFunction = Say };
        // For Windows, whose builds know no other way; elsewhere it comes too late, and NativeEnvironment has seen to it.
        OrtEnv.CreateInstanceWithOptions(ref options).DisableTelemetryEvents();
        return new RunOptions();
    }

    private static void Say(nint parameter, OrtLoggingLevel severity, string category, string logger, string place, string message)
    {
        try
        {
            NativeLog.Told?.Invoke(message);
        }
#pragma warning disable CA1031 // Nothing may be thrown into native code, and nobody is left who could be told.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
