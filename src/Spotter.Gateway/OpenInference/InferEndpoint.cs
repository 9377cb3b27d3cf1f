using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Tensor;
using Spotter.Gateway.Uploads;
using Spotter.Jobs;

namespace Spotter.Gateway.OpenInference;

/// <summary><c>POST /v2/models/{model}/infer</c>: a picture or tensors become a job, and its result the answer.</summary>
internal sealed class InferEndpoint(UploadIntake intake, JobService jobs, EngineCatalogue engines, GatewaySettings settings)
{
    private static readonly InputTerms TensorTerms = new TensorEngine().Limits.TermsFor(TensorEngine.EngineName);

    public async Task<IResult> InferAsync(HttpContext http, ModelInfo model)
    {
        var cancel = http.RequestAborted;
        var form = new JobForm(engines);
        form.Set("model", model.Id);
        var isBinary = InferBody.HeaderLength(http.Request) is not null;
        var upload = new Upload(http, form)
        {
            HasAllFields = true,
            Wait = settings.MaxWait,
            // What it brings shows only within it.
            Encoded = bytes => isBinary ? Math.Max(bytes, TensorEngine.MostBytes) : InferBody.MostJson,
        };
        if (!isBinary && http.Request.ContentLength > InferBody.MostJson)
            throw new SpotterException(ErrorCodes.BodyTooLarge, $"A request in JSON has at most {InferBody.MostJson >> 20} MiB; send the picture or the tensors in binary ('binary_data_size').");
        intake.Check(upload);
        using var waiting = intake.EnterWait(http);
        InferRequest request = null!;
        var accepted = await intake.AcceptAsync(
            upload,
            onInput => InferBody.ReadAsync(
                http.Request,
                async sent =>
                {
                    request = sent;
                    upload.Wait = InferSchedule.Read(sent, form) is { } timeout && timeout < settings.MaxWait ? timeout : settings.MaxWait;
                    await TakeAsync(http.Request, upload, model, sent, onInput, cancel);
                },
                cancel),
            cancel);
        var job = (await intake.WaitAsync(accepted, upload.Wait!.Value, cancel))[0];
        http.Response.Headers.Location = $"/v1/jobs/{job.Id.Value}";
        if (!job.State.IsTerminal())
            return Error($"The job {job.Id} has not ended in time; it goes on, and GET /v1/jobs/{job.Id} has its result.", StatusCodes.Status504GatewayTimeout);
        if (job.State != JobState.Succeeded)
            return InferErrors.ResultOf(Problems.Of(job.Error?.Code ?? ErrorCodes.Internal, job.Error?.Detail ?? $"The job {job.Id} was not run: it is {job.State}."));
        return new InferResponse(request, job, job.Engine == TensorEngine.EngineName ? TensorsOf(job) : PictureOutputs.Of(job));
    }

    /// <summary>Passes on the picture, or the tensors.</summary>
    private static async Task TakeAsync(HttpRequest http, Upload upload, ModelInfo model, InferRequest request, OnInput onInput, CancellationToken cancel)
    {
        if (request.Inputs is not { Count: > 0 } inputs || inputs.Any(i => i?.Name is null || i.Shape is null || i.Datatype is null))
            throw Invalid("The request has no inputs, or one without 'name', 'shape' or 'datatype'.");
        if (inputs is [{ Datatype: PictureOutputs.BytesType } picture])
        {
            if (picture.Name != PictureOutputs.Input.Name)
                throw Invalid($"The model '{model.Id}' has no input of type BYTES of this name; a picture is '{PictureOutputs.Input.Name}'.");
            if (PictureOutputs.PortsOf(model) is not [_, ..] ports)
                throw Invalid($"The model '{model.Id}' makes a file of a picture, and none of its outputs holds one; send tensors, or the picture to POST /v1/jobs.");
            CheckOutputs(request, model, ports);
            await using var content = await InferBody.PictureAsync(http, picture, cancel);
            await onInput(content, null, null);
            return;
        }
        var tensors = model.Tensors ?? throw Invalid($"The model '{model.Id}' takes pictures here, as the input '{PictureOutputs.Input.Name}', and no tensors.");
        CheckOutputs(request, model, tensors.Outputs);
        var sent = inputs.Select(i => (Port: new TensorPort(i.Name!, i.Datatype!, i.Shape!), Sent: i)).ToList();
        foreach (var port in tensors.Inputs)
        {
            if (sent.Where(s => s.Port.Name == port.Name).ToList() is not [{ Port: var given }] || given.Datatype != port.Datatype || !port.Takes(given.Shape))
                throw Invalid($"The model '{model.Id}' takes {string.Join(" and ", tensors.Inputs)}, each once, or a picture as the input '{PictureOutputs.Input.Name}'.");
        }
        if (sent.Count != tensors.Inputs.Count)
            throw Invalid($"The model '{model.Id}' has the inputs {string.Join(", ", tensors.Inputs)}; others were sent.");
        var parameters = new TensorParameters([.. sent.Select(s => s.Port)], [.. (request.Outputs ?? []).Select(o => o.Name!)]);
        upload.Work = new UploadWork(
            new JobRequest { Engine = TensorEngine.EngineName, Model = model.Id, ModelVersion = model.Version, Parameters = parameters.ToJson(), Schedule = upload.Form.Schedule() },
            TensorTerms with { Work = PicturesIn(tensors, parameters) });
        await using var bytes = InferBody.Tensors(http, sent);
        await onInput(bytes, null, null);
    }

    /// <summary>How many pictures the tensors are, as far as the model says: each is the work of one.</summary>
    internal static long PicturesIn(ModelTensors model, TensorParameters sent) =>
        sent.Inputs.Max(port => model.Inputs.First(i => i.Name == port.Name) is { Shape: [-1, ..] } ? port.Shape[0] : 1);

    private static void CheckOutputs(InferRequest request, ModelInfo model, IReadOnlyList<TensorPort> there)
    {
        foreach (var output in request.Outputs ?? [])
        {
            if (there.All(port => port.Name != output?.Name))
                throw Invalid($"The model '{model.Id}' gives {string.Join(", ", there.Select(o => $"'{o.Name}'"))} for these inputs, and nothing else.");
        }
    }

    private List<InferOutput> TensorsOf(Job job) =>
    [
        .. TensorResult.Of(job.Result!.Value).Outputs.Select((port, i) =>
        {
            var file = job.Outputs.First(o => o.Name == TensorResult.FileOf(i));
            return new InferOutput(port, file.Bytes, cancel => jobs.OpenOutputAsync(job, file, cancel));
        }),
    ];

    private static IResult Error(string message, int status) => TypedResults.Json(new InferError(message), OpenInferenceJson.Default.InferError, statusCode: status);

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
