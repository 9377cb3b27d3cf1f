using System.CommandLine;

namespace Spotter.Cli;

/// <summary>An option with a default that its help says in words, once: the parser, if it knew the default, would say it a second time.</summary>
internal sealed class DefaultOption<T> : Option<T>
{
    private readonly T otherwise;

    /// <summary>Declares it.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="otherwise">The value when it is not given.</param>
    /// <param name="words">That value for the help, as <c>the number of cores</c>.</param>
    /// <param name="description">For the help.</param>
    public DefaultOption(string name, T otherwise, string words, string description)
        : base(name)
    {
        this.otherwise = otherwise;
        Description = $"{description} Default: {words}.";
    }

    /// <summary>What was typed, or the default.</summary>
    public T Of(ParseResult parsed) => parsed.GetResult(this) is null ? otherwise : parsed.GetValue(this)!;
}
