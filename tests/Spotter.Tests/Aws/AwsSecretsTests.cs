using Amazon.Runtime;
using Amazon.SimpleSystemsManagement;
using Spotter.Backends.Aws;
using Spotter.Core;
using Spotter.Core.Settings;

namespace Spotter.Tests.Aws;

[NeedsMoto]
[Collection(Moto.Name)]
public sealed class AwsSecretsTests(Moto moto) : IDisposable
{
    private static readonly Setting<string?> Secret = new("token", "The token.", SettingValues.OptionalText("TOKEN"), null) { IsSecret = true };
    private static readonly Setting<string?> SecretFile = new("tokenFile", "The file with it.", SettingValues.OptionalText("FILE"), null) { Flag = "--token-file" };

    private readonly string name = "t" + RandomSource.System.NextHex(8);
    private readonly AwsSecrets secrets = new(() => new AmazonSimpleSystemsManagementClient(
        new BasicAWSCredentials("testing", "testing"),
        new AmazonSimpleSystemsManagementConfig { ServiceURL = moto.Server.Address.ToString(), AuthenticationRegion = "eu-central-1" }));

    public void Dispose() => secrets.Dispose();

    [Fact]
    public async Task A_secret_is_read_from_the_parameter_store_and_from_secrets_manager()
    {
        await PutAsync("first");
        await moto.Server.CallAsync("secretsmanager", "secretsmanager.CreateSecret", new { Name = name, SecretString = "managed" });

        foreach (var (file, value) in ((string, string)[])[($"ssm:/{name}", "first"), ($"secretsmanager:{name}", "managed")])
        {
            var read = Read(file);
            read.Mistakes.ShouldBeEmpty();
            read.Value.ShouldBe(value);
        }
    }

    [Fact]
    public async Task One_that_is_not_there_is_a_mistake_that_says_which()
    {
        await PutAsync("");

        Read("ssm:/none").Mistakes.ShouldBe(["--token-file: There is no secret 'ssm:/none'; make it, or correct the name or AWS_REGION."]);
    }

    [Fact]
    public async Task One_that_has_changed_is_told_and_its_old_value_stays_until_the_next_start()
    {
        await PutAsync("first");
        Read($"ssm:/{name}");
        (await secrets.ChangedAsync(default)).ShouldBeEmpty();

        await PutAsync("second");

        (await secrets.ChangedAsync(default)).ShouldBe([$"ssm:/{name}"]);
        Read($"ssm:/{name}").Value.ShouldBe("first");
    }

    private Task PutAsync(string value) => moto.Server.CallAsync(
        "ssm", "AmazonSSM.PutParameter", new { Name = $"/{name}", Value = value.Length == 0 ? "x" : value, Type = "SecureString", Overwrite = true });

    private (string? Value, IReadOnlyList<string> Mistakes) Read(string file)
    {
        var flags = new GivenSettings();
        flags.Add(SecretFile.Key, SecretFile.Flag!, file);
        var reader = new SettingReader([flags], [secrets]);
        return (reader.GetSecret(Secret, SecretFile), reader.Mistakes);
    }
}
