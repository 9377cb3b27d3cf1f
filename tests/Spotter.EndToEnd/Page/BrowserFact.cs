namespace Spotter.EndToEnd.Page;

/// <summary>A test that needs Chromium; counted as skipped without one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Browser.Executable is null)
            Skip = Browser.Missing;
    }
}

/// <summary>A test that needs Chromium and the shared models and pictures.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedBrowserFactAttribute : FactAttribute
{
    public SharedBrowserFactAttribute()
    {
        if (Browser.Executable is null)
            Skip = Browser.Missing;
        else if (!SharedFiles.Exist)
            Skip = "../shared is not here";
    }
}
