using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spotter.Core;
using Spotter.Engines.Options;

namespace Spotter.Engines.Joined;

/// <summary>Reads an option that a worker declared: what an <see cref="OptionSet{T}"/> is for options that are known beforehand.</summary>
internal sealed class OptionReader
{
    // Whole numbers that every JSON reader gets exactly.
    private const double LargestWhole = 1L << 53;

    public OptionReader(DeclaredOption declared)
    {
        Values = ValuesOf(declared);
        Option = new JobOption(declared.Name, declared.Help, Values, TextOf(declared.Default), OptionTraits.None);
    }

    public JobOption Option { get; }

    public OptionValues<JsonNode> Values { get; }

    /// <summary>A default as it would be sent; null for none.</summary>
    private static string? TextOf(RawJson? value)
    {
        if (value is not { } json)
            return null;
        using var document = JsonDocument.Parse(json.Utf8);
        return document.RootElement.ValueKind == JsonValueKind.String ? document.RootElement.GetString() : document.RootElement.GetRawText();
    }

    private static OptionValues<JsonNode> ValuesOf(DeclaredOption option)
    {
        switch (option.Type)
        {
            case DeclaredOption.OfNumber:
                var (least, most) = (option.Min ?? -double.MaxValue, option.Max ?? double.MaxValue);
                return OptionValues.Of<JsonNode>(
                    $"a number{Range(option)}", OptionType.Number,
                    text => (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most, JsonValue.Create(double.IsFinite(value) ? value : 0)))
                    with
                { Least = option.Min, Most = option.Max };
            case DeclaredOption.OfWhole:
                var (first, last) = (option.Min ?? -LargestWhole, option.Max ?? LargestWhole);
                return OptionValues.Of<JsonNode>(
                    $"a whole number{Range(option)}", OptionType.Whole,
                    text => (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= first && value <= last, JsonValue.Create(value)))
                    with
                { Least = option.Min, Most = option.Max };
            case DeclaredOption.OfFlag:
                return OptionValues.Of<JsonNode>("true or false", OptionType.Flag, text => (OptionValues.Flag.Accepts(text), JsonValue.Create(text is "true" or "1")));
            case DeclaredOption.OfChoice:
                return OptionValues.Of<JsonNode>(
                    string.Join(" or ", option.Choices), OptionType.Text, text => (option.Choices.Contains(text, StringComparer.Ordinal), JsonValue.Create(text))) with
                { Choices = option.Choices };
            case DeclaredOption.OfJson:
                return OptionValues.Of<JsonNode>("a list or an object in JSON", OptionType.Structure, text => StructureOf(text) is { } value ? (true, value) : (false, null!));
            default:
                var longest = option.Max ?? JobFields.Longest;
                return OptionValues.Of<JsonNode>($"a text of at most {longest.ToString(CultureInfo.InvariantCulture)} characters", OptionType.Text, text => (text.Length <= longest, JsonValue.Create(text)));
        }
    }

    private static string Range(DeclaredOption option) => (option.Min, option.Max) switch
    {
        ({ } min, { } max) => string.Create(CultureInfo.InvariantCulture, $" from {min} to {max}"),
        ({ } min, null) => string.Create(CultureInfo.InvariantCulture, $" of at least {min}"),
        (null, { } max) => string.Create(CultureInfo.InvariantCulture, $" of at most {max}"),
        _ => "",
    };

    private static JsonNode? StructureOf(string text)
    {
        try
        {
            // All of it is looked at: what can't be written again is found here, and not when the row is written.
            var node = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = ResultCheck.Deepest, AllowDuplicateProperties = false });
            return node is JsonArray or JsonObject && node.ToJsonString().Length > 0 ? node : null;
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }
}
