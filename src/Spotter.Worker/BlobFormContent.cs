using System.Net.Http.Headers;
using Spotter.Jobs;

namespace Spotter.Worker;

/// <summary>What is sent for a <see cref="BlobForm"/>, as browsers write it.</summary>
internal static class BlobFormContent
{
    /// <summary>The fields, and after them the bytes.</summary>
    /// <param name="form">The form.</param>
    /// <param name="bytes">The bytes; disposed of with what is returned.</param>
    public static HttpContent Of(BlobForm form, HttpContent bytes)
    {
        var body = new MultipartFormDataContent();
        // .NET puts quotes around the boundary and none around names. Both are allowed, and servers of S3 know neither.
        var boundary = body.Headers.ContentType!.Parameters.Single(p => p.Name == "boundary");
        boundary.Value = boundary.Value!.Trim('"');
        foreach (var (name, value) in form.Fields)
        {
            var field = new StringContent(value);
            field.Headers.ContentType = null;
            field.Headers.ContentDisposition = Named(name);
            body.Add(field);
        }
        bytes.Headers.ContentDisposition = Named(BlobForm.File);
        bytes.Headers.ContentDisposition.FileName = $"\"{BlobForm.File}\"";
        body.Add(bytes);
        return body;
    }

    private static ContentDispositionHeaderValue Named(string name) => new("form-data") { Name = $"\"{name}\"" };
}
