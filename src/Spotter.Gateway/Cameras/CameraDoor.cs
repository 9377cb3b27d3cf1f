using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Gateway.Cameras;

/// <summary>The door for camera software: the API of DeepStack with what CodeProject.AI adds to it.</summary>
internal sealed class CameraDoor : IDoor
{
    private static readonly string[] GetOrPost = [HttpMethods.Get, HttpMethods.Post];

    public void Add(IServiceCollection services) =>
        services.AddSingleton<CameraPort>().AddSingleton<CameraModels>().AddSingleton<CameraCaller>().AddSingleton<CameraCalls>().AddSingleton<IErrorFormat, CameraErrors>();

    public void Map(IEndpointRouteBuilder routes)
    {
        var cameras = routes.MapGroup("").WithMetadata(CameraCall.Mark).ExcludeFromDescription();

        // Anybody gets to these, and whoever they can't make out, by a header or the form, goes no further.
        var vision = cameras.MapGroup("/v1/vision").AllowAnonymous();
        var submits = new KeyInForm(NeedsKey.ToSubmit);
        vision.MapPost("/detection", (HttpContext http, CameraCalls calls) => calls.DetectAsync(http, null)).WithMetadata(CallCost.Submission, submits);
        vision.MapPost("/custom/{name}", (HttpContext http, string name, CameraCalls calls) => calls.DetectAsync(http, name)).WithMetadata(CallCost.Submission, submits);
        vision.MapPost("/scene", (HttpContext http, CameraCalls calls) => calls.ClassifyAsync(http)).WithMetadata(CallCost.Submission, submits);
        vision.MapMethods("/custom/list", GetOrPost, (HttpContext http, CameraCalls calls) => calls.ListAsync(http)).WithMetadata(CallCost.Other, new KeyInForm(NeedsKey.OfAnyKind));
        vision.Map("/{**other}", (HttpContext http) => Refuse(http)).WithMetadata(CallCost.Other);

        // Software asks these to see whether there is somebody, with no key.
        foreach (var status in (string[])["/v1/status", "/v1/server/status"])
        {
            foreach (var call in (string[])["/ping", "/version", "/updateavailable"])
                cameras.MapGet(status + call, (HttpContext http) => CameraCalls.Status(http)).WithMetadata(CallCost.Other).AllowAnonymous();
        }
    }

    /// <summary>What DeepStack calls not activated: faces, and whatever else there is in other servers.</summary>
    private static IResult Refuse(HttpContext http) => throw (HttpMethods.IsPost(http.Request.Method)
        ? new SpotterException(ErrorCodes.Forbidden, $"There is no {http.Request.Path} here; there is /v1/vision/detection, /v1/vision/custom/NAME and /v1/vision/scene.")
        : new SpotterException(ErrorCodes.InvalidRequest, $"{http.Request.Path} takes a POST with the picture as the file 'image', not a {http.Request.Method}."));
}
