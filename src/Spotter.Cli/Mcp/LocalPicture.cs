using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using Spotter.Cli.Detect;
using Spotter.Core;
using Spotter.Core.Images;
using Spotter.Gateway.Mcp;

namespace Spotter.Cli.Mcp;

/// <summary>A picture as a file of this machine. It is read here, as the user who started the program; nothing but pictures leaves the machine.</summary>
internal static class LocalPicture
{
    private const string Path = "path";

    /// <summary>Adds the argument to the tool that takes a picture, which can then do without the bytes.</summary>
    public static void Offer(Tool tool)
    {
        var schema = JsonObject.Create(tool.InputSchema)!;
        schema["properties"]![Path] = new JsonObject
        {
            ["type"] = "string",
            ["description"] = $"A JPEG, PNG, WebP or GIF file on this machine, at most {McpContract.MostPictureBytes >> 20} MiB; instead of '{McpContract.Image}'.",
        };
        schema.Remove("required");
        using var document = JsonDocument.Parse(schema.ToJsonString());
        tool.InputSchema = document.RootElement.Clone();
    }

    /// <summary>The arguments with the bytes of the file in the place of its path.</summary>
    /// <exception cref="SpotterException">It can't be read, or is no picture.</exception>
    public static IDictionary<string, JsonElement> Read(IDictionary<string, JsonElement> arguments)
    {
        if (!arguments.TryGetValue(Path, out var given) || given.ValueKind == JsonValueKind.Null)
            return arguments;
        if (given.ValueKind != JsonValueKind.String || given.GetString() is not { Length: > 0 } path)
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The argument '{Path}' is the path of a picture's file.");
        if (arguments.ContainsKey(McpContract.Image))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"Both '{Path}' and '{McpContract.Image}' are given; give one of them.");
        var picture = PictureFile.Read(path, new ImageLimits());
        if (picture.Length > McpContract.MostPictureBytes)
            throw new SpotterException(ErrorCodes.BodyTooLarge, $"The picture has more than {McpContract.MostPictureBytes >> 20} MiB; make it smaller.");
        var passed = new Dictionary<string, JsonElement>(arguments, StringComparer.Ordinal);
        passed.Remove(Path);
        passed[McpContract.Image] = JsonSerializer.SerializeToElement(Convert.ToBase64String(picture.Span), ServiceText.Default.String);
        passed.TryAdd(McpContract.Name, JsonSerializer.SerializeToElement(System.IO.Path.GetFileName(path), ServiceText.Default.String));
        return passed;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ServiceText : System.Text.Json.Serialization.JsonSerializerContext;
