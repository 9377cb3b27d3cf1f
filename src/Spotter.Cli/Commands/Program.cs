using Spotter.Cli.Commands;
using Spotter.Vision;

StandardStreams.Settle();
return await CommandLine.RunAsync(args);
