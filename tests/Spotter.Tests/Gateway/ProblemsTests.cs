using System.Reflection;
using Spotter.Core;
using Spotter.Gateway;

namespace Spotter.Tests.Gateway;

public sealed class ProblemsTests
{
    private static readonly string[] All =
        [.. typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    public static TheoryData<string> Codes => [.. All];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_status_and_a_title_of_its_own(string code)
    {
        var problem = Problems.Of(code, "It broke.");

        problem.Status.ShouldBeInRange(400, 599);
        problem.Type.ShouldBe($"urn:spotter:error:{code}");
        if (code != ErrorCodes.Internal)
            problem.Title.ShouldNotBe(Problems.Of(ErrorCodes.Internal, "").Title, StringComparer.Ordinal, "the code was forgotten");
        problem.Title.ShouldNotBe(Problems.Of("too_dark", "").Title, StringComparer.Ordinal, "the code was forgotten");
    }

    [Fact]
    public void A_code_of_an_engine_that_a_worker_brings_is_no_fault_of_the_service()
    {
        var problem = Problems.Of("too_dark", "The picture is too dark.");

        (problem.Status, problem.Title, problem.Code).ShouldBe((422, "Refused by the engine", "too_dark"));
    }

    [Fact]
    public void No_two_codes_are_the_same() =>
        All.ShouldBeUnique(StringComparer.Ordinal);
}
