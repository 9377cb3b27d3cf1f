using System.Net;
using System.Text.Json;

namespace Spotter.Examples.Doors;

public sealed class PlainTextDoorTests : IAsyncLifetime
{
    private Deployment deployment = null!;

    public async Task InitializeAsync() => deployment = await Deployment.StartAsync();

    public async Task DisposeAsync() => await deployment.DisposeAsync();

    [Fact]
    public async Task A_picture_goes_in_and_a_line_comes_out() =>
        (await SendAsync("plain/barn.png?engine=size", Deployment.Picture(640, 480))).ShouldBe((HttpStatusCode.OK, "barn,640 x 480\n"));

    [Fact]
    public async Task Options_mean_the_same_as_at_any_other_door() =>
        (await SendAsync("plain/barn.png?engine=size&unit=megapixels", Deployment.Picture(2000, 1000))).ShouldBe((HttpStatusCode.OK, "barn,2 megapixels\n"));

    [Fact]
    public async Task What_is_wrong_is_said_in_the_words_of_the_declaration()
    {
        var (status, text) = await SendAsync("plain/barn.png?engine=size&unit=miles", Deployment.Picture(640, 480));

        status.ShouldBe(HttpStatusCode.BadRequest);
        using var problem = JsonDocument.Parse(text);
        problem.RootElement.GetProperty("detail").GetString().ShouldBe("The field 'unit' is 'miles'; it is pixels or megapixels.");
    }

    [Fact]
    public async Task What_is_no_picture_is_turned_away_before_there_is_a_job()
    {
        var (status, _) = await SendAsync("plain/barn.png?engine=size", "no picture"u8.ToArray());

        status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await deployment.Client.GetStringAsync(new Uri("v1/jobs", UriKind.Relative))).ShouldContain("\"jobs\":[]");
    }

    private async Task<(HttpStatusCode Status, string Text)> SendAsync(string path, byte[] picture)
    {
        using var body = new ByteArrayContent(picture);
        using var response = await deployment.Client.PostAsync(new Uri(path, UriKind.Relative), body);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
