namespace Spotter.Gateway.Mcp;

/// <summary>What programs that pass tool calls on to a gateway know of them.</summary>
public static class McpContract
{
    /// <summary>Where the tools are.</summary>
    public const string Path = "/mcp";

    /// <summary>The tool that takes a picture.</summary>
    public const string SubmitPicture = "submit_picture";

    /// <summary>Its argument with the bytes of the picture in Base64.</summary>
    public const string Image = "image";

    /// <summary>Its argument with the name of the picture.</summary>
    public const string Name = "name";

    /// <summary>Most bytes of a call.</summary>
    public const int MostBytes = 12 << 20;

    /// <summary>Most bytes of the picture in a call, where it is a third longer.</summary>
    public const int MostPictureBytes = (MostBytes - (256 << 10)) / 4 * 3;
}
