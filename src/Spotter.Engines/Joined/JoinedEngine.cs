using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spotter.Core;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Engines.Joined;

/// <summary>
/// An engine that workers bring: requests choose it like any other, and what they say is checked against what it declared. Only its
/// workers run it.
/// </summary>
public sealed class JoinedEngine : IOfferedEngine
{
    private readonly OptionReader[] readers;

    /// <summary>Creates it of a declaration that was checked (<c>DeclarationCheck</c>).</summary>
    public JoinedEngine(EngineDeclaration declared)
    {
        Declared = declared;
        readers = [.. declared.Options.Select(o => new OptionReader(o))];
        Options = [.. readers.Select(r => r.Option)];
        Limits = new EngineLimits
        {
            MediaTypes = declared.MediaTypes is [] ? InputTerms.Pictures : declared.MediaTypes,
            InputBytes = declared.MaxInputBytes,
            MostInputs = declared.MaxInputs,
            RunTime = declared.RunSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            OutputBytes = declared.MaxOutputBytes ?? new EngineLimits().OutputBytes,
        };
    }

    /// <summary>What its workers say of it.</summary>
    public EngineDeclaration Declared { get; }

    /// <inheritdoc/>
    public string Name => Declared.Name;

    /// <inheritdoc/>
    public string Help => Declared.Help;

    /// <summary>Requests name it, and no model besides.</summary>
    public bool NeedsModel => false;

    /// <inheritdoc/>
    public EngineLimits Limits { get; }

    /// <inheritdoc/>
    public IReadOnlyList<JobOption> Options { get; }

    /// <inheritdoc/>
    public string OutputMediaType => Declared.OutputMediaType ?? InputTerms.AnyBytes;

    /// <inheritdoc/>
    public bool CanBeDrawn => false;

    /// <inheritdoc/>
    public JsonTypeInfo ResultType => SpotterJson.Default.RawJson;

    /// <inheritdoc/>
    public bool Takes(ModelInfo model) => false;

    /// <inheritdoc/>
    public EngineRequest Prepare(JobFields fields, ModelInfo? model, IReadOnlyList<ModelInfo> models, int inputs)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var reader in readers)
            {
                if ((fields[reader.Option.Name] ?? reader.Option.Default) is { } text)
                {
                    writer.WritePropertyName(reader.Option.Name);
                    reader.Values.Parse(reader.Option.Name, text).WriteTo(writer);
                }
            }
            writer.WriteEndObject();
        }
        var parameters = new RawJson(json.ToArray());
        return new EngineRequest(parameters, Declared.Reusable ? parameters : null, Declared.Together) { RunBy = ModelInfo.Of(Declared) };
    }

    /// <summary>Never called: a worker of Spotter's own takes no jobs from its queue.</summary>
    public EngineResult Run(EngineJob job, IProgress<double> progress, CancellationToken cancel) =>
        throw new SpotterException(ErrorCodes.UnknownEngine, $"Only workers that bring the engine '{Name}' run it.");

    /// <summary>What the engine itself calls the sum of its result; its results are else nobody's but its clients'.</summary>
    public string? Describe(RawJson result)
    {
        using var document = JsonDocument.Parse(result.Utf8);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("summary", out var summary) && summary.ValueKind == JsonValueKind.String
            ? string.Concat(summary.GetString()!.Take(LongestSummary).Select(c => char.IsControl(c) ? ' ' : c))
            : null;
    }

    private const int LongestSummary = 500;
}
