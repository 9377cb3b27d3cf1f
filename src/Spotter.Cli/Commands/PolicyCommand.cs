using System.CommandLine;
using Spotter.Cli.Scaling;

namespace Spotter.Cli.Commands;

/// <summary><c>policy</c>: a scaling policy alone, driven by a simulator.</summary>
internal static class PolicyCommand
{
    private static readonly Option<bool> Stdio = new("--stdio")
    {
        Description = "Read settings and then observations from standard input, a JSON object per line; print a decision for each observation.",
    };

    public static Command Create()
    {
        var command = new Command("policy", "Let a simulator in any language drive a scaling policy.") { Stdio };
        command.AddCheck(result =>
        {
            if (!result.GetValue(Stdio))
                result.AddError("A policy alone only speaks over standard input and output: add --stdio.");
        });
        command.SetAction(async (_, cancel) =>
        {
            await new PolicyDialogue(Console.In, Console.Out).RunAsync(cancel);
            return ExitStatus.Done;
        });
        return command;
    }
}
