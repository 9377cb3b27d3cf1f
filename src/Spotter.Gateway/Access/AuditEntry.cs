using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Spotter.Gateway.Access;

/// <summary>What somebody did or was not let do, as a line of the audit log.</summary>
/// <param name="At">When it was answered.</param>
/// <param name="By">The name of the key; without keys from where it came (<c>local</c>, <c>network</c>, <c>internet</c>), never an address; null for who was not let in.</param>
/// <param name="Tenant">The tenant; null for none.</param>
/// <param name="Did">The method and the call, as <c>DELETE /v1/jobs/{id}</c>.</param>
/// <param name="Jobs">The jobs that it was about or that it made; null for none.</param>
/// <param name="Status">How it was answered; of a refusal the status of its problem, also where a protocol says it in another way.</param>
internal sealed record AuditEntry(DateTimeOffset At, string? By, string? Tenant, string Did, IReadOnlyList<string>? Jobs, int Status)
{
    // Of a submission of more pictures the first ones; the jobs say who sent the others.
    private const int MostJobs = 100;

    // What stands in an address is a stranger's, so no more of it than an id may have.
    private const int LongestId = 64;

    private static readonly object MadeKey = new();
    private static readonly object RefusedKey = new();

    /// <summary>It as bytes, with the end of the line.</summary>
    public byte[] Write() => [.. JsonSerializer.SerializeToUtf8Bytes(this, AuditJson.Default.AuditEntry), (byte)'\n'];

    /// <summary>Remembers the jobs that a request made.</summary>
    public static void Made(HttpContext http, IEnumerable<string> jobs) => http.Items[MadeKey] = jobs.Take(MostJobs).ToList();

    /// <summary>Remembers that a request was refused: some protocols say so in an answer with the status 200.</summary>
    public static void Refused(HttpContext http, Problem problem) => http.Items[RefusedKey] = problem.Status;

    /// <summary>
    /// The entry of a request that was answered; null for one that is not worth one: who changes something, fetches a picture or is
    /// not let in has one. Workers are many calls a second, and nobody's.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="call">The call that it was for; what goes wrong takes it off the request.</param>
    /// <param name="id">The job that its address names; null for none.</param>
    /// <param name="at">Now.</param>
    public static AuditEntry? Of(HttpContext http, RouteEndpoint call, string? id, DateTimeOffset at)
    {
        var status = http.Items[RefusedKey] as int? ?? http.Response.StatusCode;
        var isRefused = status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;
        if (call.RoutePattern.RawText is not { } pattern || (pattern.StartsWith("/v1/workers", StringComparison.Ordinal) && !isRefused))
            return null;
        var isRead = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);
        if (isRead && !isRefused && !(pattern.Contains("{id}/", StringComparison.Ordinal) && call.Metadata.GetMetadata<OpensByLink>() is not null))
            return null;
        var caller = Caller.Find(http);
        IReadOnlyList<string>? jobs = http.Items[MadeKey] as List<string> ?? (id is null ? null : [id.Length <= LongestId ? id : id[..LongestId]]);
        return new AuditEntry(at, caller?.By, string.IsNullOrEmpty(caller?.Tenant) ? null : caller.Tenant, $"{http.Request.Method} {pattern}", jobs, status);
    }
}

/// <summary>How the audit log is written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditEntry))]
internal sealed partial class AuditJson : JsonSerializerContext;
