namespace Spotter.Worker;

/// <summary>How a worker gets at the inputs of its jobs, where its gateway offers that; else the gateway sends them.</summary>
public enum BlobAccess
{
    /// <summary>It reaches its gateway only.</summary>
    Gateway,

    /// <summary>It reaches the blob store over the network, by links that the gateway gives it.</summary>
    Links,

    /// <summary>It is on the machine of its gateway, and reads files that the gateway lends it.</summary>
    Files,
}
