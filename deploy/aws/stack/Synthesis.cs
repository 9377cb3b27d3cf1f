using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.CDK;

namespace Spotter.Cloud;

/// <summary>From settings to a template that plain CloudFormation takes.</summary>
internal static class Synthesis
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The template as JSON. Nothing is asked of AWS; Node has to be there.</summary>
    public static string Template(StackSettings settings)
    {
        // The CDK's runtime writes a page about each version of Node that is about to age; whoever synthesises has another reason to read.
        System.Environment.SetEnvironmentVariable("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20,22,24");
        System.Environment.SetEnvironmentVariable("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1");
        System.Environment.SetEnvironmentVariable("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1");
        var folder = Directory.CreateTempSubdirectory("spotter-aws-");
        try
        {
            var app = new App(new AppProps { Outdir = folder.FullName, AnalyticsReporting = false });
            // The legacy synthesiser: the template stands alone, without buckets and roles that `cdk bootstrap` would have to make first.
            _ = new SpotterStack(app, settings, new StackProps { StackName = settings.Name, Synthesizer = new LegacyStackSynthesizer() });
            app.Synth();
            var template = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.FullName, $"{SpotterStack.Id}.template.json")))!;
            return template.ToJsonString(Readable) + "\n";
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
