namespace Spotter.Cloud;

/// <summary>An earlier service whose messages the gateways take; its queues, buckets and table are there already, in this account and region.</summary>
internal sealed record EarlierService
{
    /// <summary>Which one: s0, s1, s2 or s3; empty for none.</summary>
    public string Compat { get; init; } = "";

    /// <summary>The queue of its jobs.</summary>
    public string RequestQueue { get; init; } = "";

    /// <summary>The queue of its results.</summary>
    public string ResultQueue { get; init; } = "";

    /// <summary>The bucket of its pictures.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>The bucket of its results.</summary>
    public string OutputBucket { get; init; } = "";

    /// <summary>The table of its results.</summary>
    public string Table { get; init; } = "";

    /// <summary>The address of its bot.</summary>
    public string Bot { get; init; } = "";

    /// <summary>Names of this record's settings with their values, which services need each, and what the program calls it.</summary>
    private IEnumerable<(string Name, string Value, string[] Of, string Variable)> Parts =>
    [
        ("messagesRequestQueue", RequestQueue, ["s0", "s1", "s2", "s3"], "REQUESTQUEUE"),
        ("messagesResultQueue", ResultQueue, ["s2", "s3"], "RESULTQUEUE"),
        ("messagesBucket", Bucket, ["s0", "s1", "s2", "s3"], "BUCKET"),
        ("messagesOutputBucket", OutputBucket, ["s3"], "OUTPUTBUCKET"),
        ("messagesTable", Table, ["s0", "s1", "s2"], "TABLE"),
        ("messagesBot", Bot, ["s1"], "BOT"),
    ];

    /// <exception cref="SettingFault">What is missing, or is too much.</exception>
    public void Check()
    {
        foreach (var (name, value, of, _) in Parts)
        {
            if (of.Contains(Compat, StringComparer.Ordinal) != (value.Length > 0))
            {
                throw new SettingFault(value.Length == 0
                    ? $"compat={Compat} needs {name}; see docs/compat-messages.md."
                    : $"The setting {name} is for compat={string.Join(", ", of)}; leave it out, or set compat.");
            }
        }
    }

    /// <summary>What a gateway is told.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment()
    {
        if (Compat.Length == 0)
            yield break;
        yield return new("SPOTTER__COMPAT", Compat);
        foreach (var (_, value, _, variable) in Parts.Where(p => p.Value.Length > 0))
            yield return new($"SPOTTER__MESSAGES__{variable}", value);
        if (Bot.Length > 0)
            yield return new("SPOTTER__WEBHOOKS__ALLOW", new Uri(Bot).Authority);
    }
}
