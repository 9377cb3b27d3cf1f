namespace Spotter.Core.Settings;

/// <summary>
/// A setting of the program, declared once: its place in <c>spotter.yaml</c>, its environment variable, its flag, what it
/// takes, and the table in the documentation come from here.
/// </summary>
/// <param name="Key">Its place, as <c>keep.picturesHours</c>.</param>
/// <param name="Help">What it does, in sentences.</param>
public abstract record Setting(string Key, string Help)
{
    /// <summary>What the names of all environment variables begin with.</summary>
    public const string VariablePrefix = "SPOTTER__";

    /// <summary>The flag, as <c>--keep-pictures</c>; null when it has none, as secrets and what hardly anybody needs.</summary>
    public string? Flag { get; init; }

    /// <summary>What the flag means without a value, as <c>false</c>; null when it needs one.</summary>
    public string? FlagText { get; init; }

    /// <summary>True when the flag may have a value although it means something without one.</summary>
    public bool FlagMayHaveValue { get; init; }

    /// <summary>True when it may be given only for one start: neither a file nor the environment can say it.</summary>
    public bool FlagOnly { get; init; }

    /// <summary>True when there may be several values: the flag is repeated, the variable has commas between them.</summary>
    public bool IsList { get; init; }

    /// <summary>True when its value is repeated nowhere.</summary>
    public bool IsSecret { get; init; }

    /// <summary>The environment variable, as <c>SPOTTER__KEEP__PICTURESHOURS</c>.</summary>
    public string Variable => VariablePrefix + Key.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>The value in words, to stand behind <c>takes</c>.</summary>
    public abstract string Words { get; }

    /// <summary>The value's name in the help, as <c>N</c>.</summary>
    public abstract string ValueName { get; }

    /// <summary>All texts that it takes, where they are few; else none.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>The default in words; null when the help says it.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>The whole help: what it does, and its default.</summary>
    public string Description => DefaultText is null ? Help : $"{Help} Default: {DefaultText}.";

    /// <summary>True for a text that it takes.</summary>
    public abstract bool Accepts(string text);
}

/// <summary>A setting of one type.</summary>
/// <param name="Key">As in <see cref="Setting"/>.</param>
/// <param name="Help">As in <see cref="Setting"/>.</param>
/// <param name="Values">What it takes.</param>
/// <param name="Default">What it is when nobody says it.</param>
public sealed record Setting<T>(string Key, string Help, SettingValues<T> Values, T Default) : Setting(Key, Help)
{
    /// <inheritdoc/>
    public override string Words => Values.Words;

    /// <inheritdoc/>
    public override string ValueName => Values.Name;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names => Values.Names;

    /// <inheritdoc/>
    public override string? DefaultText => Default is null || IsList || FlagOnly || Help.Contains("Default:", StringComparison.Ordinal) ? null : Values.Write(Default);

    /// <inheritdoc/>
    public override bool Accepts(string text) => Values.Read(text).Fits;
}
