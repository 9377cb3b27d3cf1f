using Spotter.Cloud;

// spotter-aws [KEY=VALUE …] --out FILE: writes the CloudFormation template. See deploy/aws/README.md.
try
{
    var (settings, file) = Arguments.Read(args);
    var template = Synthesis.Template(settings);
    if (file is null)
        Console.Out.Write(template);
    else
        File.WriteAllText(file, template);
    return 0;
}
catch (SettingFault fault)
{
    Console.Error.WriteLine($"spotter-aws: {fault.Message}");
    return 2;
}
