namespace Spotter.Vision.Models;

/// <summary>What can be seen of a model's files without reading them; equal to another as long as none of them changes.</summary>
public sealed class ModelStamp : IEquatable<ModelStamp>
{
    private readonly FileStamp overrides;
    private readonly IReadOnlyList<string> named;
    private readonly IReadOnlyList<FileStamp> files;

    private ModelStamp(FileStamp model, FileStamp overrides, IReadOnlyList<string> named)
    {
        (Model, this.overrides, this.named) = (model, overrides, named);
        files = [.. named.Select(FileStamp.Of)];
    }

    /// <summary>The stamp of the model file itself.</summary>
    public FileStamp Model { get; }

    /// <summary>The stamp of a model.</summary>
    /// <param name="modelFile">Its file.</param>
    /// <param name="earlier">An earlier stamp of it: which files the model names is only read again when this may have changed.</param>
    public static ModelStamp Of(string modelFile, ModelStamp? earlier)
    {
        var (model, overrides) = (FileStamp.Of(modelFile), FileStamp.Of(ModelFiles.OverridesOf(modelFile)));
        var isSame = earlier is not null && earlier.Model == model && earlier.overrides == overrides;
        return new(model, overrides, isSame ? earlier!.named : ModelFiles.NamedBy(modelFile));
    }

    /// <inheritdoc/>
    public bool Equals(ModelStamp? other) =>
        other is not null && Model == other.Model && overrides == other.overrides && files.SequenceEqual(other.files);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModelStamp);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Model, overrides, files.Count);
}
