namespace Spotter.Core.Settings;

/// <summary>Where settings are given: a file, the environment, the command line. Keys are as <c>keep.picturesHours</c>.</summary>
public interface ISettingSource
{
    /// <summary>How to call a setting to somebody who is to correct it, as <c>--port</c> or <c>port (spotter.yaml, line 3)</c>.</summary>
    string NameOf(string key);

    /// <summary>The texts given for a key; null when it is not given, empty for an empty list.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isList">True when it may have several values, which a source of single texts has to divide.</param>
    IReadOnlyList<string>? Find(string key, bool isList);

    /// <summary>The names given below a key, as those of the pools below <c>pools</c>.</summary>
    IReadOnlyList<string> NamesBelow(string key);
}
