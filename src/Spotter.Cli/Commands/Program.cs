using Spotter.Cli.Commands;

return await CommandLine.RunAsync(args);
