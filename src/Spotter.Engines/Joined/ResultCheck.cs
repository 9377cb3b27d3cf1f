using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Spotter.Engines.Joined;

/// <summary>
/// Whether JSON that somebody else wrote may be passed on as it is, within other JSON: every client must be able to read what it is
/// in. A reader that only skips over a value looks neither at the letters of its texts nor at how deep the whole then is.
/// </summary>
public static class ResultCheck
{
    /// <summary>How deep an object may lie in others, as some readers go no deeper than 64 in all.</summary>
    public const int Deepest = 32;

    /// <summary>True for one object that any client can read, wherever it stands.</summary>
    public static bool IsObject(ReadOnlySpan<byte> json) => json.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && IsSound(json);

    /// <summary>True for one value that any client can read, wherever it stands.</summary>
    public static bool IsSound(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deepest });
        try
        {
            while (reader.Read())
            {
                if (reader.ValueIsEscaped && !IsText(ref reader))
                    return false;
            }
            return json.Length > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>False when half of a character is escaped, which no text can hold.</summary>
    private static bool IsText(ref Utf8JsonReader reader)
    {
        var letters = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            reader.CopyString(letters);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(letters);
        }
    }
}
