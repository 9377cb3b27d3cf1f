using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Spotter.Backends.Opening;
using Spotter.Cli.Models;
using Spotter.Cli.Remote;
using Spotter.Cli.Serve;
using Spotter.Cli.Settings;
using Spotter.Core;
using Spotter.Core.Confinement;
using Spotter.Core.Files;
using Spotter.Core.Settings;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;
using Spotter.Vision.Inference;

namespace Spotter.Cli.Doctor;

/// <summary>Looks at everything that Spotter needs on this machine, one thing after the other, and changes nothing.</summary>
internal static class HealthCheck
{
    private const long LowDiskBytes = 1L << 30;

    /// <summary>All findings.</summary>
    /// <param name="settings">What <c>serve</c> would be told.</param>
    public static IEnumerable<Finding> Examine(SettingReader settings)
    {
        var data = GatewaySection.DataFolder(settings);
        var (found, pools) = Settings(settings);
        yield return found;
        yield return Machine();
        yield return DotNet();
        // What is installed has its page and its libraries already.
        if (SpotterPaths.IsCheckout)
            yield return Node();
        foreach (var engine in NativeEngines.Probe())
            yield return new(engine.Name, engine.Problem is null ? Health.Ok : Health.Wrong, engine.Problem ?? engine.Found!);
        yield return Confinement(settings);
        yield return DataFolder(data);
        if (settings.Get(GatewaySection.Port) is > 0 and var port)
            yield return Port(settings.Get(GatewaySection.Host), port, data);
        var models = SpotterPaths.ModelFiles(data);
        if (models.Count == 0)
        {
            yield return new(
                "models", Health.Wrong, $"There is none: put .onnx files into one of {string.Join(", ", SpotterPaths.ModelFolders(data))}.");
        }
        var listings = models.Select(ModelListing.Of).ToList();
        foreach (var store in Stores(settings, listings))
            yield return store;
        foreach (var fleet in FleetCheck.Examine(pools, TimeProvider.System))
            yield return fleet;
        foreach (var part in LegacyParts(settings))
            yield return part;
        var enough = listings.Any(listing => listing.Error is null);
        foreach (var listing in listings)
            yield return Model(listing, enough ? Health.Warning : Health.Wrong);
    }

    private static (Finding Found, IReadOnlyList<PoolSettings> Pools) Settings(SettingReader settings)
    {
        const string Name = "settings";
        try
        {
            var read = ServiceSettings.Read(settings, isGateway: false, RandomSource.System);
            return (new(Name, Health.Ok, settings.Get(SettingSources.File) ?? (File.Exists(SettingSources.FileName) ? Path.GetFullPath(SettingSources.FileName) : $"no {SettingSources.FileName}")), read.Pools);
        }
        catch (SpotterException wrong)
        {
            return (new(Name, Health.Wrong, wrong.Message), []);
        }
    }

    /// <summary>The servers in which jobs and pictures are kept, if there are any.</summary>
    private static IEnumerable<Finding> Stores(SettingReader settings, IEnumerable<ModelListing> models)
    {
        var queues = EngineCatalogue.BuiltIn.QueuesOf(models.Select(m => m.Model).OfType<ModelInfo>()).ToList();
        return BackendFactory.ProbeAsync(settings, queues).GetAwaiter().GetResult().Select(found => new Finding(found.Name, found.IsWrong ? Health.Wrong : Health.Ok, found.Detail));
    }

    /// <summary>The queues, buckets and table of an earlier service whose messages are taken; none where none are.</summary>
    private static IEnumerable<Finding> LegacyParts(SettingReader settings) => LegacySection.Read(settings) is { } legacy
        ? legacy.Parts.Where(part => part.Name.Length > 0).Select(part => LegacyPart(settings, part))
        : [];

    private static Finding LegacyPart(SettingReader settings, LegacyPart part)
    {
        var name = $"earlier service's {EnumNames.Of(part.Kind)} {part.Name}";
        try
        {
            var post = LegacySection.Open(settings);
            using (post as IDisposable)
                post.CheckAsync(part, CancellationToken.None).GetAwaiter().GetResult();
            return new(name, Health.Ok, "there");
        }
        catch (SpotterException wrong)
        {
            return new(name, Health.Wrong, wrong.Message);
        }
    }

    private static Finding Machine() => new(
        "machine",
        Health.Ok,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB memory"));

    private static Finding DotNet() => new(".NET", Health.Ok, $"{RuntimeInformation.FrameworkDescription} at {RuntimeEnvironment.GetRuntimeDirectory()}");

    private static Finding Node()
    {
        const string Name = "Node.js";
        const string Advice = "it is needed to build the page and to fetch the native libraries, not to run: install Node.js 20 or newer.";
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true, UseShellExecute = false });
            var version = node!.StandardOutput.ReadToEnd().Trim();
            node.WaitForExit();
            return Version.TryParse(version.TrimStart('v'), out var number) && number.Major >= 20
                ? new(Name, Health.Ok, version)
                : new(Name, Health.Warning, $"The version is {version}, but {Advice}");
        }
        catch (Win32Exception)
        {
            return new(Name, Health.Warning, $"There is none; {Advice}");
        }
    }

    private static Finding DataFolder(string data)
    {
        const string Name = "data folder";
        try
        {
            // The folder itself is made by the first `serve`.
            var folder = data;
            while (!Path.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
                folder = parent;
            using (new FileStream(
                Path.Combine(folder, $".spotter-doctor-{RandomSource.System.NextHex(8)}"),
                new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose }))
            {
            }
            var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            var found = $"{data} {(string.Equals(folder, data, StringComparison.Ordinal) ? "can be written" : "can be made")}, {free >> 20} MiB free";
            if (Path.Exists(data) && OwnerOnly.ForeignRights(data) is { } rights)
                return new(Name, Health.Warning, $"{found}, but can be {rights} by other users of this machine too; unless that is meant, run chmod 700 {data}.");
            return free < LowDiskBytes
                ? new(Name, Health.Warning, $"{found}; pictures and results will soon not fit: free some space or name another folder with --data.")
                : new(Name, Health.Ok, found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(Name, Health.Wrong, $"{data} can't be written: {e.Message} Give {Environment.UserName} the right to, or name another folder with --data.");
        }
    }

    private static Finding Confinement(SettingReader settings)
    {
        const string Name = "sandbox of workers";
        if (!WorkerSection.Sandbox(settings))
            return new(Name, Health.Warning, "It is switched off: code in a picture or a model could do what this user can. Take worker.sandbox away.");
        return Sandbox.Missing is [] ? new(Name, Health.Ok, Sandbox.Present) : new(Name, OperatingSystem.IsLinux() ? Health.Warning : Health.Ok, string.Join("; ", Sandbox.Missing));
    }

    private static Finding Port(string host, int port, string data)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"port {port}");
        try
        {
            using var listener = new TcpListener(IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback, port);
            listener.Start();
            return new(name, Health.Ok, "free");
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && ServiceAddress.Read(data) is { } noted && noted.Port == port)
        {
            return new(name, Health.Ok, $"the service of {data} listens there");
        }
        catch (SocketException e)
        {
            return new(
                name,
                Health.Wrong,
                e.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? "Another program listens there: end it, or give `serve` another one with --port."
                    : $"It can't be opened: {e.Message}; give `serve` another one with --port.");
        }
    }

    private static Finding Model(ModelListing listing, Health ifUnusable)
    {
        var name = $"model {Path.GetFileNameWithoutExtension(listing.File)}";
        return listing.Model is { } model
            ? new(name, Health.Ok, string.Create(CultureInfo.InvariantCulture, $"{model.Engine}, {model.Family}, {model.Labels.Count} labels, at {listing.File}"))
            : new(name, ifUnusable, listing.Error!.Detail);
    }
}
