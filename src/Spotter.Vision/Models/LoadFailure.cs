using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Spotter.Core;

namespace Spotter.Vision.Models;

/// <summary>Says in one sentence why ONNX Runtime does not load a file.</summary>
internal static partial class LoadFailure
{
    public static SpotterException Explain(string file, OnnxFile onnx, OnnxRuntimeException failure)
    {
        var (kind, said) = Read(failure);
        var words = Preamble().Replace(said, "");
        if (NewestOpset().Match(words) is { Success: true } newest && long.Parse(newest.Groups["newest"].Value, CultureInfo.InvariantCulture) < onnx.Opset)
            return New(ErrorCodes.ModelUnsupported, $"{file} was written for opset {onnx.Opset} of ONNX, and this build of ONNX Runtime knows them up to {newest.Groups["newest"].Value}; export the model with a lower opset, or use a newer build with SPOTTER__NATIVE__ONNXRUNTIME.", failure);
        if (NewestVersion().Match(words) is { Success: true } version)
            return New(ErrorCodes.ModelUnsupported, $"{file} has version {version.Groups["has"].Value} of the ONNX format, and this build of ONNX Runtime knows them up to {version.Groups["knows"].Value}; save it with a lower one, or use a newer build with SPOTTER__NATIVE__ONNXRUNTIME.", failure);
        if (onnx.Opset == 0)
            return New(ErrorCodes.ModelInvalid, $"{file} does not say which versions of ONNX's operators it needs, so it is cut short or damaged; fetch or export the model again.", failure);
        if (MissingOperator().Match(words) is { Success: true } missing)
            return New(ErrorCodes.ModelUnsupported, $"{file} needs the operator {missing.Groups["name"].Value}, which this build of ONNX Runtime has not for opset {onnx.Opset}; export the model without it.", failure);
        return kind switch
        {
            "InvalidProtobuf" => New(ErrorCodes.ModelInvalid, $"{file} is damaged: ONNX Runtime can't parse it; fetch or export the model again.", failure),
            "NotImplemented" => New(ErrorCodes.ModelUnsupported, $"{file} needs what this build of ONNX Runtime has not ({words}); export the model without it.", failure),
            _ => New(ErrorCodes.ModelInvalid, $"{file} is an invalid ONNX model ({words}); export the model again.", failure),
        };
    }

    /// <summary>The part of a failed run's message that says what failed, without the places in the library's source.</summary>
    public static string Reason(OnnxRuntimeException failure)
    {
        var (_, words) = Read(failure);
        return FailedOperator().Match(words) is { Success: true } failed ? $"its operator {failed.Groups["name"].Value} fails ({failed.Groups["why"].Value})" : words;
    }

    /// <summary>What kind of fault it is, as ONNX Runtime's C API names it, and its words. The exception has both in its message alone.</summary>
    private static (string Kind, string Words) Read(OnnxRuntimeException failure)
    {
        var message = failure.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return Kind().Match(message) is { Success: true } kind ? (kind.Groups["kind"].Value, message[kind.Length..]) : ("", message);
    }

    private static SpotterException New(string code, string message, OnnxRuntimeException inner) => new(code, message, inner);

    [GeneratedRegex(@"^\[ErrorCode:(?<kind>\w+)\] ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Kind();

    [GeneratedRegex(@"official support for domain ai\.onnx is till opset (?<newest>\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NewestOpset();

    [GeneratedRegex(@"Unsupported model IR version: (?<has>\d+), max supported IR version: (?<knows>\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NewestVersion();

    [GeneratedRegex(@"^Load model from .*? failed: ?|This is an invalid model\. (?:Error: )?|Invalid model\. (?:Error: )?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Preamble();

    [GeneratedRegex(@"while running (?<name>\w+) node\..*?Status Message: (?:.*\) )?(?:.* was false\. )?(?<why>.*)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FailedOperator();

    [GeneratedRegex(@"(?:No Op registered for|implementation for|Fatal error:) (?<name>[A-Za-z0-9_.:]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MissingOperator();
}
