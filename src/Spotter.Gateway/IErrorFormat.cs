using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway;

/// <summary>How failures are told on calls whose protocol has a form of its own for them, instead of as RFC 9457 problems.</summary>
public interface IErrorFormat
{
    /// <summary>True for a call that this is for. Asked also for calls that are not there.</summary>
    bool IsFor(HttpContext http);

    /// <summary>Writes the answer. Its headers are set; so is the status, which may be changed.</summary>
    Task WriteAsync(HttpContext http, Problem problem, CancellationToken cancel);
}
