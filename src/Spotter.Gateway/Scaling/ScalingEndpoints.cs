using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Spotter.Core;
using Spotter.Gateway.Access;
using Spotter.Scaling;

namespace Spotter.Gateway.Scaling;

/// <summary><c>/v1/scaling</c>: why there are as many workers as there are, what came in, and what would have been otherwise.</summary>
internal sealed class ScalingEndpoints : IDoor
{
    private const int LongestPage = 1000;
    private const int ShortestPage = 100;
    private const int LongestSeries = 3600;
    private const int MostSamples = 300;
    private const int MostWorkers = 256;
    private const string DayFormat = "yyyy-MM-dd";

    public void Map(IEndpointRouteBuilder routes)
    {
        var scaling = routes.MapGroup("/v1/scaling").WithTags("scaling").WithMetadata(CallCost.Other, NeedsKey.ToOperate);

        scaling.MapGet("/decisions", (DecisionLog decisions, string? limit = null, string? after = null) =>
                TypedResults.Json(Page(decisions, limit, after), ScalingViewsJson.Default.DecisionsView))
            .WithName("listScalingDecisions").WithSummary("The latest scaling decisions, explained; newest first")
            .Produces<DecisionsView>().Produces<Problem>(400, Problems.MediaType);
        scaling.MapGet("/series", (ScaleSeries series, TimeProvider time, string? seconds = null) =>
                TypedResults.Json(Read(series, time.GetUtcNow(), Number("seconds", seconds, 900, LongestSeries)), ScalingViewsJson.Default.SeriesView))
            .WithName("getScalingSeries").WithSummary("Backlog, arrivals and workers of the last minutes, for a chart")
            .Produces<SeriesView>().Produces<Problem>(400, Problems.MediaType);
        scaling.MapGet("/days", (Recordings recordings) =>
                TypedResults.Json(new DaysView([.. recordings.Days().Select(Name)]), ScalingViewsJson.Default.DaysView))
            .WithName("listScalingDays").WithSummary("The days whose arrivals are recorded, newest first").Produces<DaysView>();
        scaling.MapGet("/trace", (Recordings recordings, TimeProvider time, string? day = null) =>
                TypedResults.Text(Csv(recordings.Read(Day(day, time))), "text/csv; charset=utf-8"))
            .WithName("getScalingTrace").WithSummary("The arrivals of a day (UTC, by default today) as CSV: timestamp,count for each second with any")
            .Produces<string>(200, "text/csv").Produces<Problem>(400, Problems.MediaType).Produces<Problem>(404, Problems.MediaType);
        scaling.MapGet("/what-if", async (Recordings recordings, TimeProvider time, CancellationToken cancel, string? day = null, string? preset = null, string? maxWorkers = null) =>
                TypedResults.Json(
                    await recordings.ReplayAsync(
                        Day(day, time), Preset(preset), maxWorkers is null ? null : Number("maxWorkers", maxWorkers, 0, MostWorkers), cancel),
                    ScalingViewsJson.Default.WhatIfView))
            .WithName("replayScalingDay").WithSummary("Cost and waits that a recorded day would have had with another preset or more workers, beside those as it is set")
            .Produces<WhatIfView>().Produces<Problem>(400, Problems.MediaType).Produces<Problem>(404, Problems.MediaType);
    }

    private static ScalePreset? Preset(string? given)
    {
        if (given is null)
            return null;
        return EnumNames.TryParse<ScalePreset>(given, out var preset)
            ? preset
            : throw Invalid($"There is no preset '{given}'; there is eco, balanced and fast.");
    }

    private static DecisionsView Page(DecisionLog decisions, string? limit, string? after)
    {
        var count = Number("limit", limit, ShortestPage, LongestPage);
        long? cursor = null;
        if (after is not null)
            cursor = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw Invalid($"'{after}' is not a cursor; pass 'next' of the page before.");
        // One more than asked for tells whether there is a next page.
        var rows = decisions.Latest(count + 1, cursor);
        return rows.Count <= count
            ? new DecisionsView(rows, null)
            : new DecisionsView([.. rows.Take(count)], rows[count - 1].Id.ToString(CultureInfo.InvariantCulture));
    }

    private static SeriesView Read(ScaleSeries series, DateTimeOffset now, int seconds)
    {
        var step = (seconds + MostSamples - 1) / MostSamples;
        return new SeriesView(now, step, series.Read(now - TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(step)));
    }

    private static string Csv(IReadOnlyList<ArrivalCount> arrivals)
    {
        var text = new StringBuilder("timestamp,count\n");
        foreach (var (time, jobs) in arrivals)
            text.Append(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ},{jobs}\n");
        return text.ToString();
    }

    private static DateOnly Day(string? day, TimeProvider time)
    {
        if (day is null)
            return DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        return DateOnly.TryParseExact(day, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed)
            ? parsed
            : throw Invalid($"'{day}' is no day; write it as 2026-01-31.");
    }

    private static string Name(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    private static int Number(string name, string? given, int otherwise, int most)
    {
        var number = otherwise;
        return given is null || (int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 1 && number <= most)
            ? number
            : throw Invalid($"The {name} '{given}' is not between 1 and {most}.");
    }

    private static SpotterException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
