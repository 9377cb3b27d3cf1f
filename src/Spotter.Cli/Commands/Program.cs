using Spotter.Cli;
using Spotter.Cli.Commands;
using Spotter.Cli.Serve;
using Spotter.Core.Confinement;
using Spotter.Core.Files;

Sandbox.Enter([SelfProgram.File, .. SelfProgram.Arguments, .. args]);
// What these write is their caller's, at a place that the caller names; all else is written under the data folder.
if (args is not ["detect" or "simulate" or "load", ..])
    OwnerOnly.Apply();
StandardStreams.Settle();
PlainWriter.Install();
return await CommandLine.RunAsync(args);
