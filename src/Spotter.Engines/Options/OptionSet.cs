using System.Collections;

namespace Spotter.Engines.Options;

/// <summary>The options that make up one record of parameters, each declared together with the place that it sets.</summary>
/// <param name="defaults">The parameters when nothing is said.</param>
public sealed class OptionSet<T>(T defaults) : IReadOnlyList<JobOption>
{
    private readonly List<JobOption> options = [];
    private readonly Dictionary<string, Func<T, string, T>> setters = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public int Count => options.Count;

    /// <inheritdoc/>
    public JobOption this[int index] => options[index];

    /// <summary>Declares an option.</summary>
    /// <param name="name">The field.</param>
    /// <param name="help">What it does, as a sentence without its end.</param>
    /// <param name="values">What it can be.</param>
    /// <param name="get">Where its value stands, for the default.</param>
    /// <param name="set">The parameters with another value.</param>
    /// <param name="traits">What is special about it.</param>
    public void Add<TValue>(string name, string help, OptionValues<TValue> values, Func<T, object?> get, Func<T, TValue, T> set, OptionTraits traits = OptionTraits.None)
    {
        options.Add(new JobOption(name, help, values, get(defaults) is TValue value ? values.Write(value) : null, traits));
        setters.Add(name, (parameters, text) => set(parameters, values.Parse(name, text)));
    }

    /// <summary>The parameters that fields ask for; fields that are no options of this set are left to others.</summary>
    /// <exception cref="Core.SpotterException">One can't be what it says.</exception>
    public T Read(JobFields fields)
    {
        var parameters = defaults;
        foreach (var option in options)
        {
            if (fields[option.Name] is { } text)
                parameters = setters[option.Name](parameters, text);
        }
        return parameters;
    }

    /// <summary>The parameters with the defaults of all options that don't decide the result.</summary>
    public T Canonical(T parameters) =>
        options.Where(o => o.Is(OptionTraits.KeepsResult)).Aggregate(parameters, (now, o) => setters[o.Name](now, o.Default ?? ""));

    /// <inheritdoc/>
    public IEnumerator<JobOption> GetEnumerator() => options.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
