namespace Spotter.Cloud.Tests;

/// <summary>cfn-lint knows CloudFormation's resources, and finds nothing to say.</summary>
public sealed class LintTests
{
    [LintFact]
    public async Task Cfn_lint_finds_nothing_in_any_template()
    {
        using var folder = new Folder();
        var files = Templates.Names.Select(name => folder.Write($"{name}.json", Templates.Text(name)));

        var lint = await Shell.RunAsync(Tools.CfnLint!, ["--region", "eu-central-1", "--", .. files]);

        lint.Everything.ShouldBeEmpty();
        lint.Status.ShouldBe(0);
    }

    [LintFact]
    public async Task Cfn_lint_finds_what_is_wrong()
    {
        using var folder = new Folder();
        var file = folder.Write("wrong.json", Templates.Text("ours").Replace("\"VisibilityTimeout\": 60", "\"VisibilityTimeout\": 60000", StringComparison.Ordinal));

        (await Shell.RunAsync(Tools.CfnLint!, ["--region", "eu-central-1", "--", file])).Status.ShouldNotBe(0);
    }
}
