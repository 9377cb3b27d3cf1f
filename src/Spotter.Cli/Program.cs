using Spotter.Cli;

return await CommandLine.RunAsync(args);
