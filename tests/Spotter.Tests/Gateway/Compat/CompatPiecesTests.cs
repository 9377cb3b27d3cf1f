using Microsoft.AspNetCore.Http;
using Spotter.Core;
using Spotter.Gateway;
using Spotter.Gateway.Compat;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway.Compat;

public sealed class CompatPiecesTests
{
    [Theory]
    [InlineData("test.png", true)]
    [InlineData("test.JPG", true)]
    [InlineData("a.b.Jpeg", true)]
    [InlineData(".gif", true)]
    [InlineData("file", false)]
    [InlineData("file.csv", false)]
    [InlineData("png", false)]
    [InlineData("a.png.", false)]
    [InlineData("", false)]
    public void Files_of_four_kinds_are_allowed(string name, bool allowed) => Predictions.IsAllowed(name).ShouldBe(allowed);

    [Fact]
    public void Boxes_become_parts_of_the_picture_with_six_digits()
    {
        var found = new FoundObject("car", 2, 0.9, new FoundBox(10, 20, 30, 80));

        PredictedObject.Of(new PictureResult(300, 100, [found])).ShouldBe([new PredictedObject("car", 0.066667, 0.5, 0.066667, 0.6)]);
        PredictedObject.Of(new PictureResult(300, 100, Labels: [new FoundLabel("car", 2, 0.9)])).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "a.JPG", "images/a.JPG")]
    [InlineData("shop", "A_1-b.c.png", "images/shop/A_1-b.c.png")]
    [InlineData("", "a/b.png", null)]
    [InlineData("", "..", null)]
    [InlineData("", "../a.png", null)]
    [InlineData("", ".hidden", null)]
    [InlineData("", "a..png", null)]
    [InlineData("..", "a.png", null)]
    [InlineData("", "a\\b.png", null)]
    [InlineData("", "a b.png", null)]
    [InlineData("", "ä.png", null)]
    [InlineData("", "a\0.png", null)]
    [InlineData("", "", null)]
    public void A_name_stays_in_its_folder(string tenant, string name, string? key) => BlobKey.Placed(tenant, name).ShouldBe(key);

    [Theory]
    [InlineData("in/Ab/x", false)]
    [InlineData("out/a_b", false)]
    [InlineData("images/Ab_c.png", true)]
    public void Other_keys_have_the_letters_that_they_had(string key, bool valid) => BlobKey.IsValid(key).ShouldBe(valid);

    [Fact]
    public void Of_many_clients_the_one_that_was_noted_first_is_forgotten()
    {
        var recent = new RecentJobs(RandomSource.Seeded(1));
        var jobs = Enumerable.Range(0, 3).Select(_ => JobId.New(RandomSource.System, TimeProvider.System)).ToList();

        recent.Note(From(0), jobs[0]);
        recent.Note(From(1), jobs[1]);
        recent.Note(From(0), jobs[2]);
        for (var i = 2; i <= RecentJobs.MostClients; i++)
            recent.Note(From(i), jobs[0]);

        recent.Of(From(1)).ShouldBeNull();
        recent.Of(From(0)).ShouldBe(jobs[2]);
    }

    private static DefaultHttpContext From(int client)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = new System.Net.IPAddress([10, (byte)(client >> 16), (byte)(client >> 8), (byte)client]);
        var caller = Spotter.Gateway.Access.Caller.Anonymous(http);
        http.User = new System.Security.Claims.ClaimsPrincipal(new Spotter.Gateway.Access.CallerIdentity(caller));
        return http;
    }
}
