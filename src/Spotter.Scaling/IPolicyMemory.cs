namespace Spotter.Scaling;

/// <summary>Keeps what a policy has learned (<see cref="ScalePolicy.Save"/>) from one run of the service to the next.</summary>
public interface IPolicyMemory
{
    /// <summary>What was kept last; null when there is nothing, or nothing that can be read.</summary>
    string? Load();

    /// <summary>Keeps this instead. Never fails: what can't be kept is learned again.</summary>
    void Save(string state);
}
