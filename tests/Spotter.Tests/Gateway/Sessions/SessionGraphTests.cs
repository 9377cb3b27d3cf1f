using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Gateway.Sessions;

namespace Spotter.Tests.Gateway.Sessions;

/// <summary>What a session does, as it is read from requests, and in which order.</summary>
public sealed class SessionGraphTests
{
    private const string Diamond = """
        {
          "dataChannels": [{"name":"in","type":"Image"},{"name":"left","type":"JSON"},{"name":"right","type":"json","interested":true},{"name":"out","type":"JSON","interested":true}],
          "engines": [
            {"id":"detect","inputs":[{"name":"b","type":"JSON","linkTo":"left"},{"name":"c","linkTo":"right"},{"name":"i","type":"Image","linkTo":"in"}],"outputs":[{"name":"r","type":"JSON","linkTo":"out"}]},
            {"id":"classify","inputs":[{"name":"i","type":"Image","linkTo":"in"}],"outputs":[{"name":"r","type":"JSON","linkTo":"left"}]},
            {"id":"embed","inputs":[{"name":"i","type":"Image","linkTo":"in"}],"outputs":[{"name":"r","type":"JSON","linkTo":"right"}]}
          ],
          "startData": [{"channelName":"in","payload":"AAAA"}]
        }
        """;

    [Fact]
    public void A_step_is_ready_once_all_that_write_to_what_it_reads_have_ended()
    {
        var graph = Read(Diamond);

        graph.Ready(new HashSet<int>(), new HashSet<int>()).ShouldBe([1, 2]);
        graph.Ready(new HashSet<int> { 1, 2 }, new HashSet<int> { 1 }).ShouldBeEmpty();
        graph.Ready(new HashSet<int> { 1, 2 }, new HashSet<int> { 1, 2 }).ShouldBe([0]);
        graph.Ready(new HashSet<int> { 0, 1, 2 }, new HashSet<int> { 0, 1, 2 }).ShouldBeEmpty();
    }

    [Fact]
    public void It_is_the_same_after_it_was_written_and_read()
    {
        var graph = Read(Diamond);

        var again = RawJson.Of(graph, SessionJson.Default.SessionGraph).Read(SessionJson.Default.SessionGraph);

        RawJson.Of(again, SessionJson.Default.SessionGraph).ShouldBe(RawJson.Of(graph, SessionJson.Default.SessionGraph));
        (again.Steps.Count, again.Channels[2].Type, again.Start[0].Payload.ToString()).ShouldBe((3, "JSON", "\"AAAA\""));
    }

    [Fact]
    public void One_engine_may_have_an_input_and_an_output_of_one_name()
    {
        var request = JsonSerializer.Deserialize("""{"engineId":"detect","inputs":{"Data":{"type":"Image","payload":"AAAA"}},"outputs":{"Data":{"type":"JSON","interested":true}}}""", SessionJson.Default.SingleRequest)!;

        var graph = SessionGraph.Of(request).Checked(EngineCatalogue.BuiltIn);

        graph.Channels.Select(c => (c.Name, c.Type, c.Interested)).ShouldBe([("Data", "JSON", true), ("Data", "Image", false)]);
        graph.Ready(new HashSet<int>(), new HashSet<int>()).ShouldBe([0]);
    }

    [Theory]
    [InlineData("""{"engineId":"detect"}""", "no inputs")]
    [InlineData("""{"inputs":{"Control":{"type":"JSON","payload":{}}}}""", "engineId")]
    [InlineData("""{"engineId":"detect","inputs":{"Control":null}}""", "type")]
    [InlineData("""{"engineId":"detect","inputs":{"Control":{"type":"JSON"}}}""", "payload")]
    [InlineData("""{"engineId":"detect","inputs":{"Control":{"type":"Sound","payload":{}}}}""", "JSON, Image, Video, File")]
    [InlineData("""{"engineId":"detect","inputs":{"":{"type":"JSON","payload":{}}}}""", "name")]
    [InlineData("""{"engineId":"detect","inputs":{"C":{"type":"JSON","payload":{}}},"resultChannels":["Other"]}""", "Other")]
    [InlineData("""{"engineId":"sSzMfsnBpWVLrhUHw2HP3","inputs":{"C":{"type":"JSON","payload":{}}}}""", "sSzMfsnBpWVLrhUHw2HP3")]
    [InlineData("""{"engineId":"annotate","inputs":{"C":{"type":"JSON","payload":{}}}}""", "annotate")]
    public void A_session_of_one_engine_that_can_not_be_is_refused(string json, string says)
    {
        var refused = Should.Throw<SpotterException>(() => SessionGraph.Of(JsonSerializer.Deserialize(json, SessionJson.Default.SingleRequest)!).Checked(EngineCatalogue.BuiltIn));

        refused.Code.ShouldBeOneOf(ErrorCodes.InvalidRequest, ErrorCodes.UnknownEngine);
        refused.Message.ShouldContain(says);
    }

    [Theory]
    [InlineData("\"startData\": [{\"channelName\":\"in\",\"payload\":\"AAAA\"}]", "\"startData\": []", "'in'")]
    [InlineData("\"linkTo\":\"out\"", "\"linkTo\":\"nowhere\"", "'nowhere'")]
    [InlineData("\"name\":\"out\",\"type\":\"JSON\"", "\"name\":\"out\",\"type\":\"Image\"", "another type")]
    [InlineData("\"name\":\"out\"", "\"name\":\"in\"", "one name")]
    [InlineData("{\"name\":\"i\",\"type\":\"Image\",\"linkTo\":\"in\"}],\"outputs\":[{\"name\":\"r\",\"type\":\"JSON\",\"linkTo\":\"right\"}", "{\"name\":\"i\",\"type\":\"JSON\",\"linkTo\":\"out\"}],\"outputs\":[{\"name\":\"r\",\"type\":\"JSON\",\"linkTo\":\"right\"}", "circle")]
    [InlineData("\"channelName\":\"in\"", "\"channelName\":\"unknown\"", "'unknown'")]
    [InlineData("\"id\":\"embed\"", "\"id\":\"embedded\"", "'embedded'")]
    [InlineData("{\"name\":\"b\",\"type\":\"JSON\",\"linkTo\":\"left\"}", "{\"name\":\"c\",\"type\":\"JSON\",\"linkTo\":\"left\"}", "of one name")]
    public void A_workflow_that_can_not_be_is_refused(string what, string by, string says)
    {
        Diamond.ShouldContain(what);
        var refused = Should.Throw<SpotterException>(() => Read(Diamond.Replace(what, by, StringComparison.Ordinal)));

        refused.Code.ShouldBeOneOf(ErrorCodes.InvalidRequest, ErrorCodes.UnknownEngine);
        refused.Message.ShouldContain(says);
    }

    [Fact]
    public void Many_inputs_are_refused_before_they_are_compared_with_each_other()
    {
        var inputs = string.Join(',', Enumerable.Range(0, 50_000).Select(i => $$$"""{"name":"i{{{i}}}","linkTo":"in"}"""));

        Should.Throw<SpotterException>(() => Read($$"""{"dataChannels":[{"name":"in","type":"Image"}],"engines":[{"id":"detect","inputs":[{{inputs}}],"outputs":[]}],"startData":[{"channelName":"in","payload":"AAAA"}]}"""))
            .Message.ShouldContain("at most 64 inputs");
    }

    [Fact]
    public void What_goes_in_is_counted()
    {
        Read(Diamond).Files.ShouldBe(1);
        Read(Diamond.Replace("\"AAAA\"", "[\"AAAA\",\"AAAA\",\"AAAA\"]", StringComparison.Ordinal)).Files.ShouldBe(3);
    }

    [Fact]
    public void More_than_a_session_may_have_is_refused()
    {
        var engines = string.Join(',', Enumerable.Repeat("""{"id":"detect","inputs":[{"name":"i","type":"Image","linkTo":"in"}],"outputs":[]}""", 33));

        Should.Throw<SpotterException>(() => Read($$"""{"dataChannels":[{"name":"in","type":"Image"}],"engines":[{{engines}}],"startData":[{"channelName":"in","payload":"AAAA"}]}"""))
            .Message.ShouldContain("at most 32 engines");
    }

    private static SessionGraph Read(string json) => SessionGraph.Of(JsonSerializer.Deserialize(json, SessionJson.Default.WorkflowRequest)!).Checked(EngineCatalogue.BuiltIn);
}
