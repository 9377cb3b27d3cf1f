using System.Text.Json;

namespace Spotter.EndToEnd.Docs;

/// <summary>What counts as a difference between a sample and an answer.</summary>
public sealed class JsonSampleTests
{
    [Theory]
    [InlineData("""{"id": "9b2f", "at": 1}""", """{"id":"77","at":2.5}""")]
    [InlineData("""{"id": "…"}""", """{"id":null}""")]
    [InlineData("""{"id": "a…"}""", """{"id":"b"}""")]
    [InlineData("""{"id": 1, …}""", """{"id":1,"more":true}""")]
    [InlineData("""{"list": […], "of": {…}}""", """{"list":[1,2],"of":{"x":1}}""")]
    [InlineData("""[{"a": true}]""", """[{"a":false},{"b":1}]""")]
    public void It_holds(string sample, string real) => Differences(sample, real).ShouldBeEmpty();

    [Theory]
    [InlineData("""{"id": 1}""", """{"id":"1"}""", ".id is Number in the docs and String in truth")]
    [InlineData("""{"id": 1}""", """{}""", "has no id")]
    [InlineData("""{"id": 1, …}""", """{"more":1}""", "has no id")]
    [InlineData("""{"id": 1}""", """{"id":1,"more":1}""", "has more in truth")]
    [InlineData("""{"a": {"b": [{"c": 1}]}}""", """{"a":{"b":[{"d":1}]}}""", ".a.b[] has no c")]
    [InlineData("""[1]""", "[]", "is empty in truth")]
    [InlineData("""{"id": null}""", """{"id":1}""", ".id is Null")]
    public void It_does_not_hold(string sample, string real, string difference) =>
        Differences(sample, real).ShouldContain(d => d.Contains(difference, StringComparison.Ordinal));

    private static List<string> Differences(string sample, string real) =>
        [.. JsonSample.Differences(JsonSample.Parse(sample), JsonDocument.Parse(real).RootElement)];
}
