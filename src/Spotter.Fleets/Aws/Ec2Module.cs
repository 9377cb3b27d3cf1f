using Microsoft.Extensions.Logging;
using Spotter.Core.Settings;
using Spotter.Scaling;

namespace Spotter.Fleets.Aws;

/// <summary>Workers as EC2 instances without a group, launched from a template whose machines start a worker under the instance's id.</summary>
internal sealed class Ec2Module : ILauncherModule
{
    // A tag may have 256 characters, and a number comes behind it; a star or a question mark would find other pools' machines too.
    private const int LongestTag = 200;

    private static readonly Setting<string?> Template = new(
        "template", "With the launcher 'ec2': the launch template of the workers, by its id or name; its newest version is taken.", SettingValues.OptionalText("NAME|ID"), null);

    private static readonly Setting<string?> Tag = new(
        "pool",
        "With the launcher 'ec2': the value of the tag 'spotter:pool', by which its instances are told from all others in the region; each also gets it as a name, with a number. Default: the pool's name.",
        new SettingValues<string?>(
            $"up to {LongestTag} letters, digits and . _ : / @ + = -", "NAME",
            text => (text.Length is > 0 and <= LongestTag && text.All(c => char.IsAsciiLetterOrDigit(c) || "._:/@+=-".Contains(c, StringComparison.Ordinal)), text)),
        null);

    private static readonly Setting<string> Types = new(
        "types", "With the launcher 'ec2': instance types; where one has no capacity, the next is tried. Default: the template's.", SettingValues.Text("TYPE"), "") { IsList = true };

    private static readonly Setting<string> Subnets = new(
        "subnets", "With the launcher 'ec2': the ids of subnets, which are taken in turn. Default: the template's.", SettingValues.Text("ID"), "") { IsList = true };

    public string Name => "ec2";

    public IReadOnlyList<Setting> Settings { get; } = [Template, Tag, Types, Subnets, .. AwsSettings.All];

    public void Check(SettingReader settings)
    {
        if (settings.Get(Template) is null)
            settings.Mistake("A pool with the launcher 'ec2' needs a launch template; name it with template=NAME or template=ID.");
        _ = settings.Get(Tag);
        _ = AwsSettings.PlaceOf(settings);
    }

    public IWorkerLauncher Create(LauncherContext context)
    {
        var settings = context.Settings;
        var client = AwsQueryClient.Open(AwsQueryService.Ec2, AwsSettings.PlaceOf(settings));
        var pool = new Ec2Pool(client, settings.Get(Tag) ?? context.Pool, settings.Get(Template)!);
        return new Ec2Launcher(
            pool, new LaunchPlaces(settings.GetList(Types), settings.GetList(Subnets)), context.Time, context.Random, context.Loggers.CreateLogger<Ec2Launcher>());
    }
}
