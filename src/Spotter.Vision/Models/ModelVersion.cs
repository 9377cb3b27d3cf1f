using System.Security.Cryptography;
using Spotter.Core.Files;

namespace Spotter.Vision.Models;

/// <summary>Tells the versions of a model apart by what is in its files.</summary>
public static class ModelVersion
{
    private const int Digits = 12;

    /// <summary>
    /// The first twelve hexadecimal digits of the SHA-256 of the model file, followed by the file that overrides it and by
    /// those that either names (<see cref="ModelFiles"/>).
    /// </summary>
    /// <exception cref="IOException">It can't be read, or is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string Of(string modelFile)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, modelFile);
        foreach (var file in ModelFiles.NamedBy(modelFile).Prepend(ModelFiles.OverridesOf(modelFile)).Where(File.Exists))
            Append(hash, file);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..Digits];
    }

    private static void Append(IncrementalHash hash, string file)
    {
        using var content = RegularFile.Open(file, bufferSize: 0);
        var piece = new byte[1 << 17];
        for (int read; (read = content.Read(piece)) > 0;)
            hash.AppendData(piece, 0, read);
    }
}
