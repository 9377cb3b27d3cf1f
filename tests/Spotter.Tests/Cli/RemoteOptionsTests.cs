using Spotter.Cli.Remote;
using Spotter.Tests.Gateway;

namespace Spotter.Tests.Cli;

/// <summary>Which service the commands talk to: each of them alike.</summary>
public sealed class RemoteOptionsTests : IAsyncLifetime
{
    private const string Nobody = "http://127.0.0.1:1";

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = new(StringComparer.Ordinal);
    private GatewayBench bench = null!;

    public static TheoryData<string[]> Commands { get; } = new(["queue", "stats", "--json"], ["queue", "list", "--json"], ["queue", "dead", "--json"], ["models", "list", "--json"]);

    private string Address => bench.Client.BaseAddress!.ToString();

    public async Task InitializeAsync() => bench = await GatewayBench.StartAsync();

    public async Task DisposeAsync()
    {
        await bench.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_service_of_a_data_folder_is_found_by_its_note(string[] command)
    {
        using var noted = ServiceAddress.Note(folder.Path, new Uri(Address));

        (await RunAsync([.. command, "--data", folder.Path])).Errors.ShouldBeEmpty();
        environment["SPOTTER__DATA"] = folder.Path;
        (await RunAsync(command)).Errors.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_environment_and_the_file_say_where_it_is(string[] command)
    {
        environment["SPOTTER__DATA"] = folder.Path;
        environment["SPOTTER__CONFIG"] = folder.File("spotter.yaml", System.Text.Encoding.UTF8.GetBytes($"url: {Address}\n"));
        (await RunAsync(command)).Errors.ShouldBeEmpty();

        // The environment wins over the file, and both over what a service has noted.
        environment["SPOTTER__URL"] = Nobody;
        using var noted = ServiceAddress.Note(folder.Path, new Uri(Address));
        var ran = await RunAsync(command);
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain("check SPOTTER__URL");

        // What is typed wins over all.
        (await RunAsync([.. command, "--data", folder.Path])).Errors.ShouldBeEmpty();
        (await RunAsync([.. command, "--url", Address])).Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Load_finds_it_as_the_others_do()
    {
        using var noted = ServiceAddress.Note(folder.Path, new Uri(Nobody));
        folder.File("a.png");

        var ran = await RunAsync("load", "--images", folder.Path, "--jobs", "1", "--data", folder.Path);
        ran.Status.ShouldBe(1);
        ran.ErrorLines().ShouldHaveSingleItem().ShouldContain($"check {ServiceAddress.FileIn(folder.Path)}");

        environment["SPOTTER__URL"] = "http://127.0.0.1:2";
        (await RunAsync("load", "--images", folder.Path, "--jobs", "1")).ErrorLines().ShouldHaveSingleItem().ShouldContain("127.0.0.1:2");
    }

    [Theory]
    [InlineData("queue", "stats")]
    [InlineData("models", "list")]
    [InlineData("models", "inspect", "patches")]
    [InlineData("models", "evaluate", "patches", "--dataset", "set")]
    [InlineData("keys", "list")]
    [InlineData("keys", "revoke", "web")]
    [InlineData("callbacks", "secret", "https://example.com")]
    public async Task A_data_folder_that_is_not_there_is_an_error_and_is_not_made(params string[] command)
    {
        var data = Path.Combine(folder.Path, "typo");

        var typed = await RunAsync([.. command, "--data", data]);
        typed.Status.ShouldBe(1);
        typed.Output.ShouldBeEmpty();
        typed.ErrorLines().ShouldHaveSingleItem().ShouldContain(command is ["models", "evaluate", ..] ? "set" : $"There is no data folder {data}, which --data names");

        Directory.Exists(data).ShouldBeFalse();
    }

    [Fact]
    public async Task A_folder_named_in_the_environment_has_to_be_there_too()
    {
        environment["SPOTTER__DATA"] = Path.Combine(folder.Path, "typo");

        (await RunAsync("keys", "list")).ErrorLines().ShouldHaveSingleItem().ShouldContain("which SPOTTER__DATA names");
    }

    [Fact]
    public async Task A_folder_on_which_nothing_runs_is_told_from_a_service_that_is_gone()
    {
        var idle = await RunAsync("queue", "stats", "--data", folder.Path);

        idle.Status.ShouldBe(1);
        idle.ErrorLines().ShouldHaveSingleItem().ShouldContain($"No service runs on {folder.Path}");
    }

    [Theory]
    [InlineData("url: http://192.0.2.1:8080", "")]
    [InlineData("data: theirs", "http://192.0.2.1:8080")]
    public async Task A_key_is_not_sent_where_only_a_file_of_the_current_folder_says(string settings, string noted)
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, "theirs"));
        await File.WriteAllTextAsync(ServiceAddress.FileIn(Path.Combine(folder.Path, "theirs")), noted);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "spotter.yaml"), settings);
        environment.Remove("SPOTTER__DATA");
        environment["SPOTTER__KEY"] = "sk_secret";

        var (status, _, errors) = await SpotterProgram.RunInAsync(folder.Path, environment, "queue", "stats");

        status.ShouldBe(1);
        errors.ShouldContain("the key of SPOTTER__KEY is not sent where only such a file says; give --url http://192.0.2.1:8080/");
        errors.ShouldNotContain("sk_secret");

        // This machine's own may have it.
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "spotter.yaml"), "url: http://127.0.0.1:2");
        (await SpotterProgram.RunInAsync(folder.Path, environment, "queue", "stats")).Errors.ShouldContain("http://127.0.0.1:2");
    }

    private Task<Ran> RunAsync(params string[] arguments) => SpotterProgram.RunWithAsync(environment, arguments);
}
