using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Spotter.EndToEnd.Monitoring;

/// <summary>
/// A collector of OpenTelemetry: takes OTLP over HTTP and over gRPC, and reads of it what tests look at
/// (https://github.com/open-telemetry/opentelemetry-proto, trace.proto and metrics.proto).
/// </summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication web;
    private readonly ConcurrentQueue<ReceivedSpan> spans = new();
    private readonly ConcurrentDictionary<string, string> metrics = new(StringComparer.Ordinal);

    private Collector(bool isGrpc)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0")
            .ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        web = builder.Build();
        web.Run(isGrpc ? ReceiveGrpcAsync : ReceiveAsync);
    }

    /// <summary>All spans that came.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. spans];

    /// <summary>Names of all metrics that came, with their units.</summary>
    public IReadOnlyDictionary<string, string> Metrics => metrics;

    /// <summary>What the last request brought besides.</summary>
    public string? ApiKey { get; private set; }

    public Uri Address => new(web.Urls.First());

    public static async Task<Collector> StartAsync(bool isGrpc = false)
    {
        var collector = new Collector(isGrpc);
        await collector.web.StartAsync();
        return collector;
    }

    public async ValueTask DisposeAsync()
    {
        await web.StopAsync();
        await web.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        var body = await ReadAsync(http);
        switch (http.Request.Path.Value)
        {
            case "/v1/traces":
                ReadTraces(body);
                break;
            case "/v1/metrics":
                ReadMetrics(body);
                break;
            default:
                http.Response.StatusCode = 404;
                return;
        }
        http.Response.ContentType = "application/x-protobuf";
    }

    private async Task ReceiveGrpcAsync(HttpContext http)
    {
        // Five bytes before a message: whether it is compressed, and its length.
        var body = (await ReadAsync(http))[5..];
        if (http.Request.Path.Value == "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            ReadTraces(body);
        else
            ReadMetrics(body);
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(new byte[5]);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private async Task<byte[]> ReadAsync(HttpContext http)
    {
        ApiKey = http.Request.Headers["api-key"];
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private void ReadTraces(byte[] request)
    {
        foreach (var resource in Messages(request, 1))
        {
            var service = Attributes(Messages(resource, 1).Single(), 1)["service.name"];
            foreach (var span in Messages(resource, 2).SelectMany(scope => Messages(scope, 2)))
            {
                spans.Enqueue(new ReceivedSpan(
                    service, Hex(Messages(span, 1)), Hex(Messages(span, 2)), Hex(Messages(span, 4)), Text(Messages(span, 5)), Attributes(span, 9)));
            }
        }
    }

    private void ReadMetrics(byte[] request)
    {
        foreach (var metric in Messages(request, 1).SelectMany(resource => Messages(resource, 2)).SelectMany(scope => Messages(scope, 2)))
            metrics[Text(Messages(metric, 1))] = Text(Messages(metric, 3));
    }

    private static Dictionary<string, string> Attributes(byte[] message, int field) =>
        Messages(message, field).ToDictionary(a => Text(Messages(a, 1)), a => Value(Messages(a, 2).Single()), StringComparer.Ordinal);

    private static string Value(byte[] value)
    {
        var input = new CodedInputStream(value);
        return WireFormat.GetTagFieldNumber(input.ReadTag()) switch
        {
            1 => input.ReadString(),
            3 => input.ReadInt64().ToString(System.Globalization.CultureInfo.InvariantCulture),
            var other => $"a value of field {other}",
        };
    }

    private static string Text(IEnumerable<byte[]> fields) => System.Text.Encoding.UTF8.GetString(fields.FirstOrDefault() ?? []);

    private static string Hex(IEnumerable<byte[]> fields) => Convert.ToHexStringLower(fields.FirstOrDefault() ?? []);

    /// <summary>The values of a field that has a length.</summary>
    private static List<byte[]> Messages(byte[] message, int field)
    {
        var input = new CodedInputStream(message);
        var found = new List<byte[]>();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == field && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                found.Add(input.ReadBytes().ToByteArray());
            else
                input.SkipLastField();
        }
        return found;
    }
}

/// <summary>A span that came.</summary>
internal sealed record ReceivedSpan(string Service, string Trace, string Id, string Parent, string Name, IReadOnlyDictionary<string, string> Attributes);
