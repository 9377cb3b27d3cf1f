using System.Runtime.InteropServices;
using System.Text;

namespace Spotter.Vision.OnnxRuntime;

/// <summary>
/// The C API of ONNX Runtime, as far as it is called here. The library exports one function that leads to a table of
/// function pointers; <see cref="Slot"/> holds their places in it, which never change.
/// </summary>
/// <remarks>
/// Ownership: every object that the library makes is held by one <see cref="OrtHandle"/>, whose release function is the
/// library's own. A tensor over our memory (<see cref="OrtTensor"/>) borrows it: the memory must outlive the tensor.
/// Text and arrays that the library allocates are copied and given back at once; nothing here returns native memory but
/// <see cref="OrtOutput"/>, which is valid until disposed.
/// Threading: the table and the environment are made once per process. A session may run on many threads at once; all
/// else belongs to the thread that made it.
/// </remarks>
internal static unsafe class OrtApi
{
    /// <summary>The lowest version whose table has all that is called here, so that older and newer builds work too.</summary>
    public const int Version = 5;

    private static readonly Lazy<nint> Table = new(FindTable);

    /// <summary>Places in the table.</summary>
    internal enum Slot
    {
        GetErrorCode = 1,
        GetErrorMessage = 2,
        CreateEnvWithCustomLogger = 4,
        DisableTelemetryEvents = 6,
        CreateSession = 7,
        Run = 9,
        CreateSessionOptions = 10,
        SetSessionLogSeverityLevel = 22,
        SetSessionGraphOptimizationLevel = 23,
        SetIntraOpNumThreads = 24,
        SetInterOpNumThreads = 25,
        SessionGetInputCount = 30,
        SessionGetOutputCount = 31,
        SessionGetInputTypeInfo = 33,
        SessionGetOutputTypeInfo = 34,
        SessionGetInputName = 36,
        SessionGetOutputName = 37,
        CreateRunOptions = 39,
        RunOptionsSetTerminate = 46,
        CreateTensorWithDataAsOrtValue = 49,
        GetTensorMutableData = 51,
        CastTypeInfoToTensorInfo = 55,
        GetTensorElementType = 60,
        GetDimensionsCount = 61,
        GetDimensions = 62,
        GetTensorTypeAndShape = 65,
        CreateCpuMemoryInfo = 69,
        AllocatorFree = 76,
        GetAllocatorWithDefaultOptions = 78,
        ReleaseEnv = 92,
        ReleaseStatus = 93,
        ReleaseMemoryInfo = 94,
        ReleaseSession = 95,
        ReleaseValue = 96,
        ReleaseRunOptions = 97,
        ReleaseTypeInfo = 98,
        ReleaseTensorTypeAndShapeInfo = 99,
        ReleaseSessionOptions = 100,
        SessionGetModelMetadata = 111,
        ModelMetadataGetProducerName = 112,
        ModelMetadataLookupCustomMetadataMap = 116,
        ReleaseModelMetadata = 118,
        ModelMetadataGetCustomMetadataMapKeys = 123,
        AddSessionConfigEntry = 130,
    }

    public static void* Function(Slot slot) => ((void**)Table.Value)[(int)slot];

    /// <summary>Throws what a status says and releases it; null is success.</summary>
    /// <exception cref="OrtException">The library refused.</exception>
    public static void Check(nint status)
    {
        if (status == 0)
            return;
        var code = ((delegate* unmanaged<nint, int>)Function(Slot.GetErrorCode))(status);
        var message = Text(((delegate* unmanaged<nint, nint>)Function(Slot.GetErrorMessage))(status));
        Release(Slot.ReleaseStatus, status);
        throw new OrtException((OrtErrorCode)code, message);
    }

    public static void Release(Slot slot, nint instance) => ((delegate* unmanaged<nint, void>)Function(slot))(instance);

    /// <summary>Calls a function of the form (out object).</summary>
    public static OrtHandle Make(Slot make, Slot release)
    {
        nint made;
        Check(((delegate* unmanaged<nint*, nint>)Function(make))(&made));
        return new OrtHandle(release, made);
    }

    /// <summary>Calls a function of the form (object, number).</summary>
    public static void Set(Slot slot, OrtHandle target, int value) =>
        Check(((delegate* unmanaged<nint, int, nint>)Function(slot))(target.Pointer, value));

    /// <summary>Calls a function of the form (object).</summary>
    public static void Call(Slot slot, OrtHandle target) => Check(((delegate* unmanaged<nint, nint>)Function(slot))(target.Pointer));

    public static string Text(nint utf8) => Marshal.PtrToStringUTF8(utf8) ?? "";

    /// <summary>A zero-terminated UTF-8 copy, for the length of a call.</summary>
    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint FindTable()
    {
        var library = NativeLibraries.LoadOnnxRuntime();
        var getBase = (delegate* unmanaged<nint*>)NativeLibrary.GetExport(library, "OrtGetApiBase");
        var getApi = (delegate* unmanaged<uint, nint>)getBase()[0];
        var table = getApi(Version);
        return table != 0
            ? table
            : throw new OrtException(OrtErrorCode.NotImplemented, $"This build of ONNX Runtime has no API version {Version}.");
    }
}
