using System.Security.Cryptography;

namespace Spotter.EndToEnd.Api;

/// <summary>Filters through the whole service: several pictures or one, no model, another picture back.</summary>
public sealed class FilterTests(RunningService service) : IClassFixture<RunningService>
{
    private SpotterApi Api => service.Api;

    [Fact]
    public async Task A_turned_picture_comes_back_as_a_png_of_its_own_size()
    {
        var job = await FilteredAsync([Pictures.Png(200, 40, 20)], Part.Field("filter", "rotate"), Part.Field("degrees", "270"));

        (job.Width, job.Height).ShouldBe((20, 40));
        var image = await Api.GetAsync(job.Image);
        image.MediaType.ShouldBe("image/png");
        Size(image.Bytes).ShouldBe((20, 40));
        var original = await Api.GetAsync($"/v1/jobs/{job.Id}/original");
        Size(original.Bytes).ShouldBe((40, 20));
    }

    [Fact]
    public async Task A_caption_says_the_same_in_words()
    {
        var job = await FilteredAsync([Pictures.Png(200, 40, 20)], Part.Field("engine", "filter"), Part.Field("caption", "Blur 5"));

        (job.Width, job.Height).ShouldBe((36, 16));
    }

    [Fact]
    public async Task Several_pictures_become_one_in_the_order_in_which_they_were_sent()
    {
        var before = Inputs();
        var pictures = new[] { Pictures.Png(10, 30, 20), Pictures.Jpeg(120, 24, 20), Pictures.Gif(16, 20, 200) };
        var job = await FilteredAsync(pictures, Part.Field("filter", "concat"), Part.Field("sides", "right-to-left"));

        (job.Width, job.Height).ShouldBe((30 + 24 + 16, 20));
        // The pictures of one job are all that is left of what was sent.
        Inputs().ShouldBe(before + 3);
        var again = await FilteredAsync([.. pictures.Reverse()], Part.Field("filter", "concat"), Part.Field("sides", "left-to-right"));
        (again.Width, again.Height).ShouldBe((70, 20));
        var (first, second) = (await Api.GetAsync(job.Image), await Api.GetAsync(again.Image));
        SHA256.HashData(first.Bytes).ShouldBe(SHA256.HashData(second.Bytes));
    }

    [Fact]
    public async Task Without_concat_each_picture_is_a_job_of_its_own()
    {
        var answer = await Api.SubmitAsync([Part.Field("filter", "segment"), Part.Image(Pictures.Png(10)), Part.Image(Pictures.Png(200))], waitSeconds: 30);

        var jobs = answer.Json.GetProperty("jobs").EnumerateArray().ToList();
        jobs.Count.ShouldBe(2);
        jobs.ShouldAllBe(job => SpotterApi.StateOf(job) == "succeeded");
    }

    [Fact]
    public async Task The_same_request_with_its_key_is_the_same_job()
    {
        Part[] parts = [Part.Field("filter", "concat"), Part.Image(Pictures.Png(1)), Part.Image(Pictures.Png(2))];
        var first = await Api.SubmitAsync(parts, waitSeconds: 30, key: "concat-once");
        var second = await Api.SubmitAsync(parts, waitSeconds: 30, key: "concat-once");

        SpotterApi.IdOf(second.Json).ShouldBe(SpotterApi.IdOf(first.Json));
        Part[] other = [Part.Field("filter", "concat"), Part.Image(Pictures.Png(1)), Part.Image(Pictures.Png(3))];
        (await Api.SubmitAsync(other, key: "concat-once")).ShouldBeProblem(422, "idempotency_key_reused");
    }

    [Theory]
    [InlineData("filter", "sepia")]
    [InlineData("filter", "concat")] // of one picture
    [InlineData("caption", "make it nice")]
    public async Task What_no_filter_does_is_refused(string name, string value) =>
        (await Api.SubmitAsync([Part.Field("engine", "filter"), Part.Field(name, value), Part.Image(Pictures.Png(1))])).ShouldBeProblem(400, "invalid_request");

    [Fact]
    public async Task Fields_of_filters_and_of_models_do_not_mix()
    {
        (await Api.SubmitAsync([Part.Field("filter", "blur"), Part.Field("confidence", "0.5"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(400, "invalid_request");
        (await Api.SubmitAsync([Part.Field("level", "3"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(400, "invalid_request");
    }

    [Fact]
    public async Task A_setting_beside_a_caption_is_refused_rather_than_dropped() =>
        (await Api.SubmitAsync([Part.Field("engine", "filter"), Part.Field("caption", "blur"), Part.Field("level", "3"), Part.Image(Pictures.Png(1))])).ShouldBeProblem(400, "invalid_request");

    [Fact]
    public async Task A_level_beyond_the_picture_fails_the_job_with_the_reason()
    {
        var answer = await Api.SubmitAsync([Part.Field("filter", "blur"), Part.Field("level", "65"), Part.Image(Pictures.Png(1))], waitSeconds: 30);

        SpotterApi.StateOf(answer.Json).ShouldBe("failed");
        answer.Json.GetProperty("error").GetProperty("code").GetString().ShouldBe("invalid_request");
        answer.Json.GetProperty("error").GetProperty("detail").GetString()!.ShouldStartWith("The picture is 64 x 64 pixels, smaller than the square of 65 x 65");
    }

    private int Inputs() => service.Blobs().Count(file => file.Contains("/in/", StringComparison.Ordinal));

    private async Task<(string Id, int Width, int Height, string Image)> FilteredAsync(byte[][] pictures, params Part[] fields)
    {
        var answer = await Api.SubmitAsync([.. fields, .. pictures.Select(p => Part.Image(p))], waitSeconds: 30);
        SpotterApi.StateOf(answer.Json).ShouldBe("succeeded", answer.ToString());
        var result = answer.Json.GetProperty("result");
        return (SpotterApi.IdOf(answer.Json), result.GetProperty("width").GetInt32(), result.GetProperty("height").GetInt32(), answer.Json.GetProperty("links").GetProperty("image").GetString()!);
    }

    /// <summary>From the header of a PNG.</summary>
    private static (int Width, int Height) Size(byte[] png) => (
        System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
}
