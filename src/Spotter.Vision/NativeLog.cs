namespace Spotter.Vision;

/// <summary>What native libraries have to say besides the errors that they return.</summary>
public static class NativeLog
{
    /// <summary>Told each line, on whatever thread runs the library. Default: nobody, as errors say the same.</summary>
    public static Action<string>? Told { get; set; }
}
