using Spotter.Core;

namespace Spotter.Gateway;

/// <summary>How a collector of telemetry is talked to (https://opentelemetry.io/docs/specs/otlp/).</summary>
public enum TelemetryProtocol
{
    /// <summary>OTLP over HTTP with protobuf, as at port 4318.</summary>
    Http,

    /// <summary>OTLP over gRPC, as at port 4317.</summary>
    Grpc,
}

/// <summary>Where traces and metrics are sent.</summary>
public sealed record TelemetrySettings
{
    /// <summary>The collector's address, as <c>http://collector:4318</c>; null to send nothing.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>How it is talked to.</summary>
    public TelemetryProtocol Protocol { get; init; }

    /// <summary>What goes with each request, as <c>api-key=SECRET</c>, several with commas between them; null for nothing.</summary>
    public string? Headers { get; init; }

    /// <summary>The part of new traces that is recorded, 0 to 1; a client that brings a trace has decided already.</summary>
    public double Sample { get; init; } = 1;

    /// <summary>What this service is called there.</summary>
    public string Service { get; init; } = "spotter";

    /// <summary>The meter's name, by which gateways in one process are told apart.</summary>
    internal string Meter { get; init; } = GatewayMeters.Name;

    /// <summary>Not the headers: secrets are among them.</summary>
    public override string ToString() => $"{nameof(TelemetrySettings)} {Endpoint}";

    /// <summary>Checks them.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>.</exception>
    public void Validate()
    {
        if (Endpoint is { } address && (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0))
            throw new SpotterException(ErrorCodes.InvalidSettings, "The collector of telemetry has to be an address like http://collector:4318, without a user or a password.");
        if (Endpoint is { Query.Length: > 0 } or { Fragment.Length: > 0 })
            throw new SpotterException(ErrorCodes.InvalidSettings, "The address of the collector of telemetry has to end with its path: what it is to be told besides goes into the headers.");
        if (Headers is { } headers && headers.Split(',').Any(h => h.IndexOf('=', StringComparison.Ordinal) < 1 || h.Any(char.IsControl)))
            throw new SpotterException(ErrorCodes.InvalidSettings, "The headers for the collector of telemetry have to be like api-key=SECRET, several with commas between them.");
        if (Sample is not (>= 0 and <= 1))
            throw new SpotterException(ErrorCodes.InvalidSettings, "The sampled part of traces has to be from 0 to 1.");
    }
}
