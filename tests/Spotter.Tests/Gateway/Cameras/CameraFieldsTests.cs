using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Cameras;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Cameras;

public sealed class CameraFieldsTests
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    [Fact]
    public void A_cameras_job_is_urgent_and_of_no_use_later()
    {
        var schedule = FormOf("").Schedule();

        (schedule.Priority, schedule.Expires).ShouldBe((JobPriority.High, Usual));
    }

    [Fact]
    public void The_address_may_say_otherwise()
    {
        var schedule = FormOf("?timeout=2.5&priority=normal&labels=person,bus&labels=dog").Schedule();

        (schedule.Priority, schedule.Expires).ShouldBe((JobPriority.Normal, TimeSpan.FromSeconds(2.5)));
        Read("?min_confidence=0.3&minConfidence=0.3").Confidences.ShouldBe(["0.3", "0.3"]);
        Read("?model=plates").Model.ShouldBe("plates");
    }

    [Theory]
    [InlineData("?timeout=0")]
    [InlineData("?timeout=61")]
    [InlineData("?timeout=1&timeout=2")]
    [InlineData("?timeout=soon")]
    [InlineData("?lables=person")]
    [InlineData("?api_key=secret")]
    [InlineData("?callback=https://example.com/")]
    public void What_means_nothing_in_an_address_is_refused(string query)
    {
        var refusal = Should.Throw<SpotterException>(() => Read(query));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldEndWith(".");
        refusal.Message.ShouldNotContain("secret");
    }

    private static CameraFields Read(string query) => CameraFields.Read(new QueryCollection(QueryHelpers.ParseQuery(query)), Usual, TimeSpan.FromSeconds(60));

    private static JobForm FormOf(string query)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);
        Read(query).Fill(form);
        return form;
    }
}
