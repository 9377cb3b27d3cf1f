namespace Spotter.Vision;

/// <summary>What a model is computed on. Which of them there are depends on the build of ONNX Runtime, and on the machine.</summary>
public enum Device
{
    /// <summary>The processor: every build, every machine.</summary>
    Cpu,

    /// <summary>NVIDIA's CUDA.</summary>
    Cuda,

    /// <summary>NVIDIA's TensorRT, and CUDA for what it does not take.</summary>
    TensorRt,

    /// <summary>DirectML, on Windows.</summary>
    DirectMl,

    /// <summary>Core ML, on a Mac.</summary>
    CoreMl,

    /// <summary>Intel's OpenVINO.</summary>
    OpenVino,
}
