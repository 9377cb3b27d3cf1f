using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>One loaded model. Runs on many threads at once.</summary>
internal sealed unsafe class OrtSession : IDisposable
{
    private static readonly Lazy<OrtHandle> Environment = new(MakeEnvironment);

    private readonly OrtHandle session;
    private readonly List<byte[]> names = [];
    private readonly byte*[] inputNames;
    private readonly byte*[] outputNames;

    private OrtSession(OrtHandle session)
    {
        this.session = session;
        Inputs = Ports(OrtApi.Slot.SessionGetInputCount, OrtApi.Slot.SessionGetInputName, OrtApi.Slot.SessionGetInputTypeInfo);
        Outputs = Ports(OrtApi.Slot.SessionGetOutputCount, OrtApi.Slot.SessionGetOutputName, OrtApi.Slot.SessionGetOutputTypeInfo);
        inputNames = Fix(Inputs);
        outputNames = Fix(Outputs);
        (Producer, Metadata) = ReadMetadata();
    }

    public IReadOnlyList<OrtPort> Inputs { get; }

    public IReadOnlyList<OrtPort> Outputs { get; }

    public string Producer { get; }

    /// <summary>The model's own key-value notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Loads a model for the processor.</summary>
    /// <param name="file">The ONNX file.</param>
    /// <param name="threads">Threads that share the work of one run; 1 is the calling thread alone.</param>
    /// <param name="optimize">False when the model is looked at and not run.</param>
    /// <exception cref="OrtException">The library can't load it.</exception>
    public static OrtSession Load(string file, int threads, bool optimize)
    {
        const int allOptimizations = 99, none = 0, errors = 3;
        using var options = OrtApi.Make(OrtApi.Slot.CreateSessionOptions, OrtApi.Slot.ReleaseSessionOptions);
        OrtApi.Set(OrtApi.Slot.SetSessionGraphOptimizationLevel, options, optimize ? allOptimizations : none);
        OrtApi.Set(OrtApi.Slot.SetSessionLogSeverityLevel, options, errors);
        OrtApi.Set(OrtApi.Slot.SetIntraOpNumThreads, options, threads);
        OrtApi.Set(OrtApi.Slot.SetInterOpNumThreads, options, 1);
        // A thread that waits must not take a core from another lane.
        AddEntry(options, "session.intra_op.allow_spinning", "0");
        AddEntry(options, "session.inter_op.allow_spinning", "0");

        var path = (OperatingSystem.IsWindows() ? Encoding.Unicode : Encoding.UTF8).GetBytes(Path.GetFullPath(file) + '\0');
        nint made;
        fixed (byte* name = path)
        {
            OrtApi.Check(((delegate* unmanaged<nint, byte*, nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.CreateSession))(
                Environment.Value.Pointer, name, options.Pointer, &made));
        }
        var loaded = new OrtHandle(OrtApi.Slot.ReleaseSession, made);
        try
        {
            return new OrtSession(loaded);
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
    /// <exception cref="OrtException">The run failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public OrtOutputs Run(ReadOnlySpan<OrtTensor> inputs, ReadOnlySpan<int> outputs, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        if (!cancel.CanBeCanceled)
            return Run(inputs, outputs, runOptions: 0);
        using var options = OrtApi.Make(OrtApi.Slot.CreateRunOptions, OrtApi.Slot.ReleaseRunOptions);
        try
        {
            // Waits for a cancelling that is under way, so the options are there for as long as they are used.
            using var onCancel = cancel.UnsafeRegister(static state => OrtApi.Call(OrtApi.Slot.RunOptionsSetTerminate, (OrtHandle)state!), options);
            return Run(inputs, outputs, options.Pointer);
        }
        catch (OrtException ended) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(ended.Message, ended, cancel);
        }
    }

    private OrtOutputs Run(ReadOnlySpan<OrtTensor> inputs, ReadOnlySpan<int> outputs, nint runOptions)
    {
        const int most = 16;
        if (inputs.Length > most || outputs.Length > most)
            throw new OrtException(OrtErrorCode.InvalidArgument, $"more than {most} inputs or outputs");
        nint* values = stackalloc nint[most];
        nint* results = stackalloc nint[most];
        byte** inputName = stackalloc byte*[most];
        byte** outputName = stackalloc byte*[most];
        for (var i = 0; i < inputs.Length; i++)
        {
            values[i] = inputs[i].Pointer;
            inputName[i] = inputNames[i];
        }
        for (var i = 0; i < outputs.Length; i++)
        {
            results[i] = 0;
            outputName[i] = outputNames[outputs[i]];
        }
        OrtApi.Check(((delegate* unmanaged<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint>)OrtApi.Function(OrtApi.Slot.Run))(
            session.Pointer, runOptions, inputName, values, (nuint)inputs.Length, outputName, (nuint)outputs.Length, results));
        foreach (var input in inputs)
            GC.KeepAlive(input);
        var handles = new OrtHandle[outputs.Length];
        for (var i = 0; i < handles.Length; i++)
            handles[i] = new OrtHandle(OrtApi.Slot.ReleaseValue, results[i]);
        try
        {
            return new OrtOutputs(Array.ConvertAll(handles, handle => new OrtOutput(handle)));
        }
        catch
        {
            foreach (var handle in handles)
                handle.Dispose();
            throw;
        }
    }

    public void Dispose() => session.Dispose();

    internal static long[] ReadShape(nint tensorInfo)
    {
        nuint rank;
        OrtApi.Check(((delegate* unmanaged<nint, nuint*, nint>)OrtApi.Function(OrtApi.Slot.GetDimensionsCount))(tensorInfo, &rank));
        var shape = new long[rank];
        fixed (long* dimensions = shape)
            OrtApi.Check(((delegate* unmanaged<nint, long*, nuint, nint>)OrtApi.Function(OrtApi.Slot.GetDimensions))(tensorInfo, dimensions, rank));
        return shape;
    }

    /// <summary>The names as the library wants them, in memory that stays where it is as long as the session lives.</summary>
    private byte*[] Fix(IReadOnlyList<OrtPort> ports)
    {
        var texts = ports.Select(port => OrtApi.Utf8(port.Name)).ToList();
        var fixedTexts = GC.AllocateArray<byte>(texts.Sum(t => t.Length) + 1, pinned: true);
        names.Add(fixedTexts);
        var pointers = new byte*[texts.Count];
        var at = 0;
        for (var i = 0; i < texts.Count; i++)
        {
            texts[i].CopyTo(fixedTexts, at);
            pointers[i] = (byte*)Unsafe.AsPointer(ref fixedTexts[at]);
            at += texts[i].Length;
        }
        return pointers;
    }

    private static OrtHandle MakeEnvironment()
    {
        const int errors = 3;
        nint made;
        fixed (byte* name = "spotter\0"u8)
        {
            OrtApi.Check(((delegate* unmanaged<delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, byte*, byte*, void>, nint, int, byte*, nint*, nint>)
                OrtApi.Function(OrtApi.Slot.CreateEnvWithCustomLogger))(&Say, 0, errors, name, &made));
        }
        // For Windows, whose builds know no other way; elsewhere it comes too late, and NativeTelemetry has seen to it.
        OrtApi.Check(((delegate* unmanaged<nint, nint>)OrtApi.Function(OrtApi.Slot.DisableTelemetryEvents))(made));
        return new OrtHandle(OrtApi.Slot.ReleaseEnv, made);
    }

    /// <summary>Takes what the library would otherwise write to standard error itself, in colours.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Say(nint parameter, int severity, byte* category, byte* logger, byte* place, byte* message)
    {
        try
        {
            NativeLog.Told?.Invoke(OrtApi.Text((nint)message));
        }
#pragma warning disable CA1031 // Nothing may be thrown into native code, and nobody is left who could be told.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static void AddEntry(OrtHandle options, string key, string value)
    {
        fixed (byte* k = OrtApi.Utf8(key), v = OrtApi.Utf8(value))
            OrtApi.Check(((delegate* unmanaged<nint, byte*, byte*, nint>)OrtApi.Function(OrtApi.Slot.AddSessionConfigEntry))(options.Pointer, k, v));
    }

    private List<OrtPort> Ports(OrtApi.Slot countOf, OrtApi.Slot nameOf, OrtApi.Slot typeOf)
    {
        nuint count;
        OrtApi.Check(((delegate* unmanaged<nint, nuint*, nint>)OrtApi.Function(countOf))(session.Pointer, &count));
        var ports = new List<OrtPort>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            nint name, type, tensor;
            OrtApi.Check(((delegate* unmanaged<nint, nuint, nint, nint*, nint>)OrtApi.Function(nameOf))(session.Pointer, i, Allocator(), &name));
            var text = TakeText(name);
            OrtApi.Check(((delegate* unmanaged<nint, nuint, nint*, nint>)OrtApi.Function(typeOf))(session.Pointer, i, &type));
            using var typeInfo = new OrtHandle(OrtApi.Slot.ReleaseTypeInfo, type);
            // The cast lends a view into the type information, which stays the owner.
            OrtApi.Check(((delegate* unmanaged<nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.CastTypeInfoToTensorInfo))(type, &tensor));
            ports.Add(tensor == 0 ? new OrtPort(text, 0, []) : Port(text, tensor));
        }
        return ports;
    }

    private static OrtPort Port(string name, nint tensorInfo)
    {
        int element;
        OrtApi.Check(((delegate* unmanaged<nint, int*, nint>)OrtApi.Function(OrtApi.Slot.GetTensorElementType))(tensorInfo, &element));
        return new OrtPort(name, element, ReadShape(tensorInfo));
    }

    private (string Producer, Dictionary<string, string> Notes) ReadMetadata()
    {
        nint made, producer;
        OrtApi.Check(((delegate* unmanaged<nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.SessionGetModelMetadata))(session.Pointer, &made));
        using var metadata = new OrtHandle(OrtApi.Slot.ReleaseModelMetadata, made);
        OrtApi.Check(((delegate* unmanaged<nint, nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.ModelMetadataGetProducerName))(made, Allocator(), &producer));

        nint* keys;
        long count;
        OrtApi.Check(((delegate* unmanaged<nint, nint, nint**, long*, nint>)OrtApi.Function(OrtApi.Slot.ModelMetadataGetCustomMetadataMapKeys))(made, Allocator(), &keys, &count));
        var notes = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            nint value;
            OrtApi.Check(((delegate* unmanaged<nint, nint, nint, nint*, nint>)OrtApi.Function(OrtApi.Slot.ModelMetadataLookupCustomMetadataMap))(made, Allocator(), keys[i], &value));
            var key = TakeText(keys[i]);
            if (value != 0)
                notes[key] = TakeText(value);
        }
        if (keys != null)
            Free((nint)keys);
        return (TakeText(producer), notes);
    }

    private static nint Allocator()
    {
        nint allocator;
        OrtApi.Check(((delegate* unmanaged<nint*, nint>)OrtApi.Function(OrtApi.Slot.GetAllocatorWithDefaultOptions))(&allocator));
        return allocator;
    }

    private static string TakeText(nint text)
    {
        var copy = OrtApi.Text(text);
        Free(text);
        return copy;
    }

    private static void Free(nint memory) =>
        OrtApi.Check(((delegate* unmanaged<nint, nint, nint>)OrtApi.Function(OrtApi.Slot.AllocatorFree))(Allocator(), memory));
}
