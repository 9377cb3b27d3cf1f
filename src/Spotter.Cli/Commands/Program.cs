using Spotter.Cli;
using Spotter.Cli.Commands;

StandardStreams.Settle();
return await CommandLine.RunAsync(args);
