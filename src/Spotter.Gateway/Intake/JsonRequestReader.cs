using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Uploads;

namespace Spotter.Gateway.Intake;

/// <summary>
/// Reads <c>{"image": "BASE64", OPTION: VALUE, …}</c> as it streams in: the picture goes straight to whoever takes it, and
/// only the rest of the document is held in memory and parsed.
/// </summary>
internal sealed class JsonRequestReader
{
    /// <summary>Most bytes of the document besides the picture.</summary>
    private const int LongestRest = 64 * 1024;

    private readonly PipeReader body;
    private readonly JobForm form;
    private readonly OnInput onInput;
    private readonly ArrayBufferWriter<byte> rest = new();

    private int depth;
    private bool isText;
    private bool isEscaped;
    private bool isValue;
    private Range key;
    private int textBegan;
    private int told;

    private JsonRequestReader(PipeReader body, JobForm form, OnInput onInput) => (this.body, this.form, this.onInput) = (body, form, onInput);

    /// <summary>Reads the body.</summary>
    /// <exception cref="SpotterException">It is no such document, or a field can't be what it says.</exception>
    public static Task ReadAsync(PipeReader body, JobForm form, OnInput onInput, CancellationToken cancel) =>
        new JsonRequestReader(body, form, onInput).ReadAsync(cancel);

    private async Task ReadAsync(CancellationToken cancel)
    {
        var images = 0;
        while (await FindImageAsync(cancel))
        {
            if (images++ > 0)
                throw Invalid("The field 'image' comes twice; send one picture, or several in a multipart form.");
            // What stands before the picture may say which engine gets it.
            TellFields([.. rest.WrittenSpan, .. "\"}"u8]);
            await using var picture = new Base64Stream(body);
            await onInput(picture, null, null);
            await picture.CopyToAsync(Stream.Null, cancel);
        }
        TellFields(rest.WrittenSpan.ToArray());
    }

    /// <summary>Reads up to the first character of the picture's text; false at the end of the document.</summary>
    private async Task<bool> FindImageAsync(CancellationToken cancel)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancel);
            var found = Scan(read.Buffer, out var used);
            body.AdvanceTo(read.Buffer.GetPosition(used));
            if (found || read.IsCompleted)
                return found;
        }
    }

    private bool Scan(ReadOnlySequence<byte> bytes, out long used)
    {
        used = 0;
        foreach (var piece in bytes)
        {
            foreach (var one in piece.Span)
            {
                used++;
                if (rest.WrittenCount == LongestRest)
                    throw Invalid($"The JSON body has more than {LongestRest / 1024} KiB besides the text of 'image'; send less.");
                rest.GetSpan(1)[0] = one;
                rest.Advance(1);
                if (Step(one))
                    return true;
            }
        }
        return false;
    }

    /// <summary>True on the quote that begins the picture's text.</summary>
    private bool Step(byte one)
    {
        if (isText)
        {
            if (isEscaped || one != '"')
            {
                isEscaped = !isEscaped && one == '\\';
                return false;
            }
            isText = false;
            if (depth == 1 && !isValue)
                key = textBegan..(rest.WrittenCount - 1);
            return false;
        }
        switch (one)
        {
            case (byte)'"':
                isText = true;
                textBegan = rest.WrittenCount;
                return depth == 1 && isValue && rest.WrittenSpan[key].SequenceEqual("image"u8);
            case (byte)'{' or (byte)'[':
                depth++;
                break;
            case (byte)'}' or (byte)']':
                depth--;
                break;
            case (byte)':' when depth == 1:
                isValue = true;
                break;
            case (byte)',' when depth == 1:
                isValue = false;
                break;
        }
        return false;
    }

    /// <summary>Tells the form those fields of a document that it has not heard of yet.</summary>
    private void TellFields(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Invalid("The JSON body is no object; send {\"image\": \"BASE64\"} and the options beside it.");
            foreach (var field in document.RootElement.EnumerateObject().Skip(told))
            {
                if (field.Name != "image")
                    form.Set(field.Name, field.Value);
                else if (field.Value.ValueKind != JsonValueKind.String)
                    throw Invalid("The field 'image' is no text; it is the picture in Base64.");
                told++;
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new SpotterException(ErrorCodes.InvalidRequest, "The JSON body is malformed; send {\"image\": \"BASE64\"} and the options beside it.", broken);
        }
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
