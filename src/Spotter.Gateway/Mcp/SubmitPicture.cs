using Microsoft.AspNetCore.Http;
using ModelContextProtocol.Protocol;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Access;
using Spotter.Gateway.Overload;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.Mcp;

/// <summary>Sends a picture, and waits for its result.</summary>
internal sealed class SubmitPicture(ToolCalls calls, UploadIntake intake, JobAnswers answers, ClientLimits clients, EngineCatalogue engines, GatewaySettings settings)
    : McpTool(
        calls, NeedsKey.ToSubmit,
        new Tool
        {
            Name = McpContract.SubmitPicture,
            Title = "Find objects in a picture",
            Description = "Sends a picture to be looked at by a model (or, with the engine 'filter', to be changed), waits for the result, and gives counts, boxes and the annotated picture. "
                + "The picture is sent along as Base64; the service fetches nothing from the web, so an address of a picture can't be given. "
                + "If the job has not ended in time, the answer has its id for wait_for_job.",
            Annotations = new ToolAnnotations { ReadOnlyHint = false, DestructiveHint = false, IdempotentHint = false, OpenWorldHint = false },
        },
        [
            new(McpContract.Image, "string", $"The bytes of a JPEG, PNG, WebP or GIF file in Base64, at most {McpContract.MostPictureBytes >> 20} MiB.", IsRequired: true),
            new(McpContract.Name, "string", "What the picture is called, as its file name."),
            .. Options.Select(name => engines.FindOption(name)!).Select(o => new ToolArgument(o.Name, "string", $"{o.Description} It is {o.Values.Words}.")),
            WaitForJob.Wait(settings.MaxWait), GetJob.Picture(byDefault: true),
        ])
{
    /// <summary>Those of the job's options that assistants have a use for.</summary>
    private static readonly IReadOnlyList<string> Options = ["engine", "model", "confidence", "labels", "top", "tile", "roi", "filter", "caption"];

    protected override async Task<CallToolResult> RunAsync(HttpContext http, ToolArguments given, CancellationToken cancel)
    {
        clients.Charge(http, CallCost.Submission.Permits, paid: CallCost.Other.Permits);
        var picture = Decode(given.Required(McpContract.Image));
        var (name, withPicture, seconds) = (PictureName.Of(given.Text(McpContract.Name)), given.IsTrue(GetJob.WithPicture, byDefault: true), WaitForJob.Seconds(given, settings.MaxWait));
        var form = new JobForm(engines);
        foreach (var option in Options)
        {
            if (given.Find(option) is { } value)
                form.Set(option, value);
        }
        // The call is read already; the door has judged its length.
        http.Request.Body = Stream.Null;
        var upload = new Upload(http, form) { HasAllFields = true, Wait = seconds > 0 ? TimeSpan.FromSeconds(seconds) : null, Encoded = static bytes => Math.Max(bytes, McpContract.MostBytes) };
        intake.Check(upload);
        using var waiting = seconds > 0 ? intake.EnterWait(http) : null;
        var accepted = await intake.AcceptAsync(upload, onInput => onInput(new MemoryStream(picture, writable: false), name, null), cancel);
        if (upload.Wait is { } longest)
            accepted = await intake.WaitAsync(accepted, longest, cancel);
        return await answers.OfAsync(http, accepted[0], withPicture, cancel);
    }

    private static byte[] Decode(string image)
    {
        const string Data = "data:";
        // Assistants often write pictures as pages do.
        var text = image.StartsWith(Data, StringComparison.OrdinalIgnoreCase) ? image.AsSpan(image.IndexOf(',', StringComparison.Ordinal) + 1) : image;
        var bytes = new byte[text.Length / 4 * 3 + 3];
        if (!Convert.TryFromBase64Chars(text, bytes, out var length))
            throw new SpotterException(ErrorCodes.InvalidRequest, $"The argument '{McpContract.Image}' is not Base64; send the bytes of the picture's file in Base64, with padding.");
        return length == 0 ? throw new SpotterException(ErrorCodes.EmptyBody, $"The argument '{McpContract.Image}' is empty; send the bytes of the picture's file in Base64.")
            : length > McpContract.MostPictureBytes ? throw ToolBodies.TooLarge()
            : bytes[..length];
    }
}
