using Microsoft.AspNetCore.Authorization;
using Spotter.Gateway.Access;

namespace Spotter.Tests.Gateway.Access;

public sealed class NeedsKeyTests
{
    [Fact]
    public void A_call_that_says_nothing_is_the_operators() => NeedsKey.Of([]).ShouldBe(NeedsKey.ToOperate);

    [Fact]
    public void What_stands_nearest_to_the_call_counts() => NeedsKey.Of([NeedsKey.ToOperate, NeedsKey.ToRead]).ShouldBe(NeedsKey.ToRead);

    [Fact]
    public void A_call_that_anybody_may_make_or_that_takes_something_else_needs_none()
    {
        NeedsKey.Of([NeedsKey.ToRead, new AllowAnonymousAttribute()]).ShouldBeNull();
        NeedsKey.Of([new AuthorizeAttribute { AuthenticationSchemes = "worker" }]).ShouldBeNull();
    }
}
