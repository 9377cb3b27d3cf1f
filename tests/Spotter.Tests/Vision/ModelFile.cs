using Spotter.Vision.Inference;

namespace Spotter.Tests.Vision;

/// <summary>A model in a file of its own, deleted with the test.</summary>
internal sealed class ModelFile : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("spotter-model-");

    public ModelFile(byte[] content)
    {
        Path = System.IO.Path.Combine(folder.FullName, "tiny.onnx");
        File.WriteAllBytes(Path, content);
    }

    public string Path { get; }

    /// <summary>A detector of 32 x 32 input that always finds the same.</summary>
    public static VisionModel Load((long[] Shape, float[] Numbers) output, params (string Key, string Value)[] notes)
    {
        using var file = new ModelFile(TestModels.Constant([1, 3, 32, 32], [output], notes));
        return VisionModel.Load(file.Path, new VisionModelOptions());
    }

    public void Dispose() => folder.Delete(recursive: true);
}
