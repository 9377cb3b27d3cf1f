namespace Spotter.Cloud.Tests;

/// <summary>What can be said of a stack, and what is said of what can't.</summary>
public sealed class SettingTests
{
    [Theory]
    [InlineData("colour=red", "There is no setting colour; there are name, scaling, ")]
    [InlineData("name=my-stack", "The setting name is my-stack, but must begin with a small letter")]
    [InlineData("scaling=fast", "The setting scaling is fast, but must be one of ours, tracking, cpu, pool.")]
    [InlineData("models=a/b", "The setting models is a/b, but must be NAME, TASK/NAME or TASK/NAME/SECOND")]
    [InlineData("models=a/b/c", "The setting models is a/b/c, but must be NAME, TASK/NAME or TASK/NAME/SECOND")]
    [InlineData("models=detect/a/b/c", "The setting models is detect/a/b/c, but must be NAME")]
    [InlineData("models=detect/a-model-with-a-name-that-is-rather-long/another-that-is-as-long", "The setting models has detect/a-model-with")]
    [InlineData("compat=s4", "The setting compat is s4, but must be one of s0, s1, s2, s3.")]
    [InlineData("compat=s1 messagesRequestQueue=a messagesBucket=abc messagesTable=abc", "compat=s1 needs messagesBot;")]
    [InlineData("compat=s0 messagesRequestQueue=a messagesResultQueue=b messagesBucket=abc messagesTable=abc", "The setting messagesResultQueue is for compat=s2, s3;")]
    [InlineData("messagesTable=abc", "The setting messagesTable is for compat=s0, s1, s2;")]
    [InlineData("messagesRequestQueue=https://sqs.example/1/a", "The setting messagesRequestQueue is https")]
    [InlineData("gatewaysOn=fargate network=private compat=s0 messagesRequestQueue=a messagesBucket=abc messagesTable=abc", "Gateways have no way to an earlier service")]
    [InlineData("models=", "The setting models is empty.")]
    [InlineData("maxWorkers=0", "The setting maxWorkers is 0, but must be a number from 1 to 1000.")]
    [InlineData("maxWorkers=+5", "The setting maxWorkers is +5")]
    [InlineData("sources=telegram,here", "The setting sources has here, but takes all, telegram, and networks")]
    [InlineData("sources=::/0", "The setting sources has ::/0")]
    [InlineData("logDays=31", "The setting logDays is 31, but CloudWatch Logs knows only 1, 3, 5,")]
    [InlineData("cors=*", "The setting cors is *, but must be an origin")]
    [InlineData("domain=a'b.example", "The setting domain is a'b.example")]
    [InlineData("warm=2", "A warm pool is of a group without spot machines; set onDemand=100")]
    [InlineData("warm=2 onDemand=100 scaling=pool", "A warm pool is of a group without spot machines")]
    [InlineData("warm=2 onDemand=100 network=private", "Machines of a warm pool have to tell AWS when they are ready")]
    [InlineData("warm=2 onDemand=100 workerTypes=c7i.large,c6i.large", "With a warm pool workers are of the launch template's type")]
    [InlineData("gatewaysOn=lambda", "The setting gatewaysOn is lambda, but must be one of ec2, fargate.")]
    [InlineData("gatewaysOn=fargate gatewayType=t3.small", "Containers have no instance type; leave out gatewayType")]
    [InlineData("gatewaysOn=fargate network=private telegram=on", "Gateways have no way to Telegram with gatewaysOn=fargate and network=private")]
    [InlineData("spotter", "'spotter' is no setting: write KEY=VALUE")]
    [InlineData("--out", "--out needs the name of a file.")]
    public void Mistakes_are_named(string words, string said) =>
        Should.Throw<SettingFault>(() => Arguments.Read(words.Split(' '))).Message.ShouldStartWith(said);

    [Fact]
    public void What_is_said_wins_over_what_a_mode_brings()
    {
        Read("scaling=cpu").MaxWorkers.ShouldBe(2);
        Read("maxWorkers=7", "scaling=cpu").MaxWorkers.ShouldBe(7);
        Read("onDemand=100", "warm=1").WorkerTypes.ShouldBe(["c7i.large"]);
        Read("scaling=pool").WorkerTypes.Count.ShouldBe(4);
        Read("sources=10.1.2.3/8").Sources.ShouldBe(["10.0.0.0/8"]);
        Read("sources=telegram").Sources.ShouldBe(["149.154.160.0/20", "91.108.4.0/22"]);
    }

    [Fact]
    public void Every_setting_is_in_the_readme()
    {
        var readme = File.ReadAllText(Repository.File("deploy", "aws", "README.md"));

        foreach (var name in SettingReader.Names)
            readme.ShouldContain($"| `{name}` |");
    }

    private static StackSettings Read(params string[] words) => Arguments.Read(words).Settings;
}
