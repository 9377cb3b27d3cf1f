using System.Text;
using Spotter.Core;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spotter.Fleets.Kubernetes;

/// <summary>Reads how a cluster is reached from a kubeconfig file, as kubectl has it.</summary>
internal static class KubeConfig
{
    /// <summary>The file that is meant unless one is named; null when there is none.</summary>
    /// <param name="variable">Reads the environment.</param>
    public static string? UsualFile(Func<string, string?> variable)
    {
        var file = variable("KUBECONFIG") is { Length: > 0 } named
            ? named.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(File.Exists)
            : variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".kube", "config") : null;
        return File.Exists(file) ? file : null;
    }

    /// <summary>How a context of a file reaches its cluster.</summary>
    /// <param name="file">The file.</param>
    /// <param name="context">The context; null for the current one.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.InvalidSettings"/>: it doesn't say.</exception>
    public static ClusterAccess Read(string file, string? context, TimeProvider time)
    {
        var root = Load(file);
        var name = context ?? Text(root, "current-context") ?? throw Invalid(file, "has no current-context; name one with context=NAME");
        var meant = Named(root, "contexts", name, "context") ?? throw Invalid(file, $"has no context '{name}'");
        var cluster = Named(root, "clusters", Text(meant, "cluster") ?? "", "cluster") ?? throw Invalid(file, $"has no cluster '{Text(meant, "cluster")}', which the context '{name}' names");
        var user = Named(root, "users", Text(meant, "user") ?? "", "user") ?? new YamlMappingNode();
        if (Text(cluster, "insecure-skip-tls-verify") == "true")
            throw Invalid(file, "says insecure-skip-tls-verify, which Spotter does not; give the cluster's certificate-authority");
        if (!Uri.TryCreate(Text(cluster, "server"), UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw Invalid(file, $"has no server address for the cluster '{Text(meant, "cluster")}'");
        var (certificate, key) = (Content(file, user, "client-certificate"), Content(file, user, "client-key"));
        return new ClusterAccess(server, Text(meant, "namespace") ?? "default", TokenOf(file, user, time))
        {
            Authorities = ClusterAccess.AuthoritiesOf(Content(file, cluster, "certificate-authority")),
            Certificate = certificate is not null && key is not null ? ClusterAccess.CertificateOf(certificate, key) : null,
        };
    }

    private static Func<CancellationToken, Task<string?>> TokenOf(string file, YamlMappingNode user, TimeProvider time)
    {
        if (Text(user, "tokenFile") is { } tokenFile)
            return cancel => ClusterAccess.ReadTokenAsync(Beside(file, tokenFile), cancel);
        if (Child(user, "exec") is YamlMappingNode exec)
        {
            return new ExecTokens(
                Text(exec, "command") ?? throw Invalid(file, "names no command below exec"),
                [.. Items(exec, "args").OfType<YamlScalarNode>().Select(a => a.Value ?? "")],
                Items(exec, "env").OfType<YamlMappingNode>().ToDictionary(e => Text(e, "name") ?? "", e => Text(e, "value") ?? "", StringComparer.Ordinal),
                Text(exec, "apiVersion") ?? "client.authentication.k8s.io/v1", time).TokenAsync;
        }
        var token = Text(user, "token");
        return _ => Task.FromResult(token);
    }

    private static YamlMappingNode Load(string file)
    {
        try
        {
            using var text = File.OpenText(file);
            var yaml = new YamlStream();
            yaml.Load(text);
            return yaml.Documents.Count > 0 && yaml.Documents[0].RootNode is YamlMappingNode root ? root : throw Invalid(file, "is empty");
        }
        catch (YamlException wrong)
        {
            throw Invalid(file, $"is no YAML ({wrong.Message.TrimEnd('.')})");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, $"can't be read ({unreadable.Message.TrimEnd('.')})");
        }
    }

    /// <summary>What a list has under a name.</summary>
    private static YamlMappingNode? Named(YamlMappingNode root, string list, string name, string what) =>
        Items(root, list).OfType<YamlMappingNode>().Where(item => Text(item, "name") == name).Select(item => Child(item, what)).OfType<YamlMappingNode>().FirstOrDefault();

    /// <summary>What stands in the file itself, in base64, or in another one that it names.</summary>
    private static string? Content(string file, YamlMappingNode node, string key)
    {
        try
        {
            return Text(node, $"{key}-data") is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data))
                : Text(node, key) is { } other ? File.ReadAllText(Beside(file, other))
                : null;
        }
        catch (Exception wrong) when (wrong is FormatException or IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, $"has a {key} that can't be read ({wrong.Message.TrimEnd('.')})");
        }
    }

    private static string Beside(string file, string other) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, other);

    private static YamlNode? Child(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    private static IEnumerable<YamlNode> Items(YamlMappingNode node, string key) => Child(node, key) is YamlSequenceNode list ? list.Children : [];

    private static string? Text(YamlMappingNode node, string key) => Child(node, key) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private static SpotterException Invalid(string file, string what) => new(ErrorCodes.InvalidSettings, $"The kubeconfig file {file} {what}.");
}
