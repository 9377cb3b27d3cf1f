using Spotter.Cli;
using Spotter.Cli.Commands;
using Spotter.Vision;

StandardStreams.Settle();
PlainWriter.Install();
return await CommandLine.RunAsync(args);
