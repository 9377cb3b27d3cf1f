using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace Spotter.EndToEnd.Site;

/// <summary>The site's folder on a server of this machine, as any host of files would have it.</summary>
internal sealed class SiteServer : IAsyncDisposable
{
    private readonly WebApplication host;

    private SiteServer(WebApplication host) => this.host = host;

    public Uri Address => new(host.Urls.First() + "/");

    public static async Task<SiteServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var files = builder.Build();
        files.UseFileServer(new FileServerOptions { FileProvider = new PhysicalFileProvider(SiteFactAttribute.Folder!) });
        await files.StartAsync();
        return new SiteServer(files);
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
