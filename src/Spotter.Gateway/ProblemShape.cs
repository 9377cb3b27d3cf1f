using Microsoft.AspNetCore.Http;

namespace Spotter.Gateway;

/// <summary>Says of a call that its refusals are written as its protocol has them, instead of as RFC 9457 problems.</summary>
/// <param name="Write">From a problem to the answer, status and all.</param>
internal sealed record ProblemShape(Func<Problem, IResult> Write);
