using Spotter.Core;
using Spotter.Core.Settings;
using Spotter.Gateway.Egress;

namespace Spotter.Cli.Settings;

/// <summary>Reads places to which requests of strangers may lead.</summary>
internal static class Allowances
{
    /// <summary>Those of a setting; what is none is a mistake.</summary>
    public static IReadOnlyList<EgressAllowance> Read(SettingReader settings, Setting<string> list)
    {
        var allowed = new List<EgressAllowance>();
        foreach (var text in settings.GetList(list))
        {
            try
            {
                allowed.Add(EgressAllowance.Parse(text));
            }
            catch (SpotterException wrong)
            {
                settings.Mistake(wrong.Message);
            }
        }
        return allowed;
    }
}
