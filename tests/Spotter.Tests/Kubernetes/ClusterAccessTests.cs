using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Fleets.Kubernetes;

namespace Spotter.Tests.Kubernetes;

public sealed class ClusterAccessTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualClock clock = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_pod_is_told_by_its_environment_and_its_service_account_whose_token_is_renewed()
    {
        Write("token", "first\n");
        Write("namespace", "spotter");
        Write("ca.crt", NewAuthority().ExportCertificatePem());

        var access = ClusterAccess.OfPod(Variables(("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")), folder.Path)!;

        (access.Server, access.Namespace, access.Authorities.Count).ShouldBe((new Uri("https://10.0.0.1"), "spotter", 1));
        (await access.Token(default)).ShouldBe("first");
        Write("token", "second\n");
        (await access.Token(default)).ShouldBe("second");
        access.ToString().ShouldNotContain("second");

        ClusterAccess.OfPod(Variables(("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "6443")), folder.Path)!.Server.ShouldBe(new Uri("https://[fd00::1]:6443"));
        ClusterAccess.OfPod(Variables(), folder.Path).ShouldBeNull("this is no pod");
    }

    [Fact]
    public void A_pod_without_an_account_is_told_so() =>
        Should.Throw<SpotterException>(() => ClusterAccess.OfPod(Variables(("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")), folder.Path)).Message
            .ShouldEndWith("give the pod a service account, with automountServiceAccountToken: true, or name a kubeconfig file.");

    [Fact]
    public async Task A_kubeconfig_file_is_read_as_kubectl_does()
    {
        using var authority = NewAuthority();
        Write("ca.pem", authority.ExportCertificatePem());
        Write("token", "of the file");
        var file = Write("config", $$$$"""
            apiVersion: v1
            kind: Config
            current-context: usual
            contexts:
            - {name: usual, context: {cluster: one, user: file, namespace: there}}
            - {name: other, context: {cluster: two, user: plain}}
            - {name: certified, context: {cluster: two, user: certified}}
            clusters:
            - {name: one, cluster: {server: "https://one.example:6443", certificate-authority: ca.pem}}
            - {name: two, cluster: {server: "http://127.0.0.1:8001"}}
            users:
            - {name: file, user: {tokenFile: token}}
            - {name: plain, user: {token: secret}}
            - name: certified
              user:
                client-certificate-data: {{{{Base64(authority.ExportCertificatePem())}}}}
                client-key-data: {{{{Base64(authority.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())}}}}
            """);

        var usual = KubeConfig.Read(file, context: null, clock);
        (usual.Server, usual.Namespace, usual.Authorities.Count, await usual.Token(default)).ShouldBe((new Uri("https://one.example:6443"), "there", 1, "of the file"));
        var other = KubeConfig.Read(file, "other", clock);
        (other.Server, other.Namespace, other.Authorities.Count, await other.Token(default)).ShouldBe((new Uri("http://127.0.0.1:8001"), "default", 0, "secret"));
        using var certificate = KubeConfig.Read(file, "certified", clock).Certificate.ShouldNotBeNull();
        certificate.HasPrivateKey.ShouldBeTrue();
    }

    [LinuxFact]
    public async Task A_program_that_the_file_names_is_asked_for_tokens_until_they_end()
    {
        var counter = folder.File("asked");
        var program = Write("get-token", $$$$"""
            #!/bin/sh
            echo x >>{{{{counter}}}}
            echo '{"kind":"ExecCredential","status":{"token":"'$1-$WHO-$(wc -l <{{{{counter}}}})'","expirationTimestamp":"2026-01-01T12:10:00Z"}}'
            """);
        var file = Write("config", $$$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: one, user: exec}}]
            clusters: [{name: one, cluster: {server: "http://127.0.0.1:8001"}}]
            users: [{name: exec, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [{{{{program}}}}, mine], env: [{name: WHO, value: me}]}}}]
            """);
        var access = KubeConfig.Read(file, context: null, clock);

        (await access.Token(default)).ShouldBe("mine-me-1");
        (await access.Token(default)).ShouldBe("mine-me-1");
        clock.Advance(TimeSpan.FromMinutes(9.6));
        (await access.Token(default)).ShouldBe("mine-me-2");

        Write("get-token", "#!/bin/sh\nexit 3\n");
        (await Should.ThrowAsync<SpotterException>(() => access.Token(default))).Message.ShouldEndWith("which the kubeconfig file names for tokens, ended with status 3.");
    }

    [Theory]
    [InlineData("contexts: []", "has no current-context; name one with context=NAME.")]
    [InlineData("current-context: c", "has no context 'c'.")]
    [InlineData("current-context: c\ncontexts: [{name: c, context: {cluster: one}}]", "has no cluster 'one', which the context 'c' names.")]
    [InlineData("current-context: c\ncontexts: [{name: c, context: {cluster: one}}]\nclusters: [{name: one, cluster: {server: x}}]", "has no server address for the cluster 'one'.")]
    [InlineData("current-context: c\ncontexts: [{name: c, context: {cluster: one}}]\nclusters: [{name: one, cluster: {server: 'https://x', insecure-skip-tls-verify: true}}]", "says insecure-skip-tls-verify, which Spotter does not; give the cluster's certificate-authority.")]
    [InlineData("current-context: c\ncontexts: [{name: c, context: {cluster: one}}]\nclusters: [{name: one, cluster: {server: 'https://x', certificate-authority: nowhere}}]", "can't be read")]
    [InlineData("", "is empty.")]
    [InlineData("a: [", "is no YAML")]
    public void What_a_file_does_not_say_is_named(string text, string what)
    {
        var file = Write("config", text);

        var wrong = Should.Throw<SpotterException>(() => KubeConfig.Read(file, context: null, clock));

        wrong.Code.ShouldBe(ErrorCodes.InvalidSettings);
        wrong.Message.ShouldStartWith($"The kubeconfig file {file} ");
        wrong.Message.ShouldContain(what);
    }

    [Fact]
    public void The_file_that_kubectl_would_take_is_taken()
    {
        Directory.CreateDirectory(folder.File(".kube"));
        var usual = Write(Path.Combine(".kube", "config"), "a: b");
        var named = Write("named", "a: b");

        KubeConfig.UsualFile(Variables(("HOME", folder.Path))).ShouldBe(usual);
        KubeConfig.UsualFile(Variables(("HOME", folder.Path), ("KUBECONFIG", $"{folder.File("missing")}:{named}"))).ShouldBe(named);
        KubeConfig.UsualFile(Variables(("HOME", folder.File("nobody")))).ShouldBeNull();
        Should.Throw<SpotterException>(() => KubernetesModule.AccessOf(GivenSettings.Reader(), Variables(), clock)).Message
            .ShouldBe("Nothing says how Kubernetes is reached: this is no pod, and there is no kubeconfig file; name one with kubeconfig=FILE.");
    }

    private string Write(string name, string text)
    {
        var file = folder.File(name);
        File.WriteAllText(file, text);
        return file;
    }

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));

    private static Func<string, string?> Variables(params (string Name, string Value)[] variables) => name => variables.FirstOrDefault(v => v.Name == name).Value;

    private static X509Certificate2 NewAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=cluster", key, HashAlgorithmName.SHA256).CreateSelfSigned(new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
