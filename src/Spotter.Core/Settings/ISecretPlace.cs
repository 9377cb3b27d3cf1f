namespace Spotter.Core.Settings;

/// <summary>A place besides files from which secrets are read: a setting that takes the name of a file also takes the name of one there.</summary>
public interface ISecretPlace
{
    /// <summary>True for a name of one of its secrets, as <c>ssm:NAME</c>.</summary>
    /// <param name="name">What was given for the file.</param>
    bool Has(string name);

    /// <summary>The secret.</summary>
    /// <exception cref="SpotterException">It can't be read; a sentence without the secret.</exception>
    string Read(string name);
}
