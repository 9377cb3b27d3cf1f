namespace Spotter.Engines.Options;

/// <summary>What is special about an option.</summary>
[Flags]
public enum OptionTraits
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It does not decide the result: a cached one is the same whatever it says.</summary>
    KeepsResult = 1,

    /// <summary>It may be sent several times; all values count.</summary>
    Repeats = 2,

    /// <summary>Nobody but the service may read it.</summary>
    Secret = 4,

    /// <summary>Whoever sends it means its engine, and need not name that.</summary>
    ChoosesEngine = 8,
}

/// <summary>
/// An option of a job, declared once: parsing, error texts, the OpenAPI document, the flags of the command line and the
/// table in the documentation come from here.
/// </summary>
/// <param name="Name">The field; with two dashes before it the flag.</param>
/// <param name="Help">What it does, as a sentence without its end.</param>
/// <param name="Values">What it can be.</param>
/// <param name="Default">What it is when it is not sent, as it would be sent; null for nothing.</param>
/// <param name="Traits">What is special about it.</param>
public sealed record JobOption(string Name, string Help, OptionValues Values, string? Default, OptionTraits Traits)
{
    /// <summary>What it does and what it is by default, in one sentence.</summary>
    public string Description => Default is null or "false" || Help.Contains("default", StringComparison.OrdinalIgnoreCase) ? $"{Help}." : $"{Help}; default {Default}.";

    /// <summary>True when it has a trait.</summary>
    public bool Is(OptionTraits trait) => Traits.HasFlag(trait);
}
