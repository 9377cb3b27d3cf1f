using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Spotter.Cli;

/// <summary>Options that take a number within bounds, and refuse anything else in words of their own.</summary>
internal static class NumberOption
{
    /// <summary>A whole number.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="otherwise">The value when it is not given.</param>
    /// <param name="least">The smallest that is taken.</param>
    /// <param name="most">The largest that is taken.</param>
    /// <param name="description">For the help.</param>
    /// <param name="words">The default for the help, where the number alone says too little.</param>
    public static DefaultOption<int> Whole(string name, int otherwise, int least, int most, string description, string? words = null) =>
        new(name, otherwise, words ?? otherwise.ToString(CultureInfo.InvariantCulture), description)
        {
            HelpName = "N",
            CustomParser = result => Whole(result, name, least, most),
        };

    /// <summary>A whole number that may be left out.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="least">The smallest that is taken.</param>
    /// <param name="most">The largest that is taken.</param>
    /// <param name="description">For the help.</param>
    public static Option<int?> Whole(string name, int least, int most, string description) => new(name)
    {
        HelpName = "N",
        Description = description,
        CustomParser = result => Whole(result, name, least, most),
    };

    /// <summary>Whole numbers, each with the option's name before it.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="least">The smallest that is taken.</param>
    /// <param name="most">The largest that is taken.</param>
    /// <param name="description">For the help.</param>
    public static Option<int[]> Wholes(string name, int least, int most, string description) => new(name)
    {
        HelpName = "N",
        Description = description,
        CustomParser = result => [.. result.Tokens.Select(token => Whole(result, token.Value, name, least, most))],
    };

    /// <summary>A number from 0 to 1.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="otherwise">The value when it is not given.</param>
    /// <param name="description">For the help.</param>
    public static DefaultOption<double> Fraction(string name, double otherwise, string description) =>
        new(name, otherwise, otherwise.ToString(CultureInfo.InvariantCulture), description)
        {
            HelpName = "0..1",
            CustomParser = result => Fraction(result, name),
        };

    /// <summary>A number from 0 to 1 that may be left out.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="description">For the help.</param>
    public static Option<double?> Fraction(string name, string description) => new(name)
    {
        HelpName = "0..1",
        Description = description,
        CustomParser = result => Fraction(result, name),
    };

    /// <summary>A number above 0 that may be left out.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="unit">What it is a number of.</param>
    /// <param name="description">For the help.</param>
    public static Option<double?> Positive(string name, string unit, string description) => new(name)
    {
        HelpName = unit,
        Description = description,
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (double.TryParse(given, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 && double.IsFinite(number))
                return number;
            result.AddError($"{name} takes a number above 0, not {given}.");
            return null;
        },
    };

    private static double Fraction(ArgumentResult result, string name)
    {
        var given = result.Tokens[0].Value;
        if (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1)
            return number;
        result.AddError($"{name} takes a number from 0 to 1, not {given}.");
        return 0;
    }

    private static int Whole(ArgumentResult result, string name, int least, int most) => Whole(result, result.Tokens[0].Value, name, least, most);

    private static int Whole(ArgumentResult result, string given, string name, int least, int most)
    {
        if (int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        result.AddError($"{name} takes a number from {least} to {most}, not {given}.");
        return least;
    }
}
