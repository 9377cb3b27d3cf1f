using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;

namespace Spotter.Tests.Cli;

public sealed class LogLineTests
{
    private static readonly Exception Fault = Thrown(new SpotterException(ErrorCodes.StoreUnavailable, "The store is away.\nReally.", new IOException("connection refused")));

    [Fact]
    public void An_event_is_one_line_with_its_part_and_the_causes_of_its_error_but_not_where_it_came_from()
    {
        var line = Write(LogLevel.Warning, "It failed;\r\n it is tried again", new LogSection(LogLevel.Information, LogFormat.Text));

        line[12..].ShouldBe($" warn ScaleLoop: It failed; it is tried again (The store is away. Really. <- IOException: connection refused){Environment.NewLine}");
        line.ShouldNotContain("   at ");
    }

    [Fact]
    public void At_the_level_debug_it_says_where_in_one_line_too()
    {
        var line = Write(LogLevel.Error, "It failed", new LogSection(LogLevel.Debug, LogFormat.Text));

        line.ShouldContain(nameof(Thrown));
        line.TrimEnd().ShouldNotContain("\n");
    }

    [Fact]
    public void For_programs_it_is_an_object()
    {
        var line = JsonDocument.Parse(Write(LogLevel.Critical, "It failed", new LogSection(LogLevel.Information, LogFormat.Json))).RootElement;

        (line.GetProperty("level").GetString(), line.GetProperty("part").GetString(), line.GetProperty("message").GetString()).ShouldBe(("crit", "ScaleLoop", "It failed"));
        line.GetProperty("error").GetString()!.ShouldContain("connection refused");
        line.GetProperty("time").GetDateTimeOffset().Offset.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void For_programs_it_names_what_the_message_is_made_of_and_where_it_belongs()
    {
        using var span = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        var logged = new List<KeyValuePair<string, object?>> { new("Job", "0196"), new("Seconds", 1.5), new("{OriginalFormat}", "Job {Job} took {Seconds} s") };
        using var text = new StringWriter();

        new LogLine(new LogSection(LogLevel.Information, LogFormat.Json), TimeProvider.System).Write(
            new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(LogLevel.Information, "Spotter.Worker.WorkLoop", 1, logged, null, (_, _) => "Job 0196 took 1.5 s"), scopeProvider: null, text);

        var line = JsonDocument.Parse(text.ToString()).RootElement;
        line.GetProperty("values").ToString().ShouldBe("""{"job":"0196","seconds":"1.5"}""");
        (line.GetProperty("trace").GetString(), line.GetProperty("span").GetString()).ShouldBe((span.TraceId.ToHexString(), span.SpanId.ToHexString()));
        line.TryGetProperty("error", out _).ShouldBeFalse();
    }

    private static string Write(LogLevel level, string message, LogSection settings)
    {
        using var text = new StringWriter();
        new LogLine(settings, TimeProvider.System).Write(
            new LogEntry<string>(level, "Spotter.Scaling.ScaleLoop", 907699121, message, Fault, (state, _) => state), scopeProvider: null, text);
        return text.ToString();
    }

    private static Exception Thrown(Exception fault)
    {
        try
        {
            throw fault;
        }
        catch (Exception caught) when (caught == fault)
        {
            return caught;
        }
    }
}
