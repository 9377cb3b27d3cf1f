namespace Spotter.EndToEnd.Clients;

/// <summary>A test that needs the page's TypeScript; counted as skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TypeScriptFactAttribute : FactAttribute
{
    public TypeScriptFactAttribute()
    {
        if (ClientProgram.Node is null || !File.Exists(Compiler))
            Skip = "there is no TypeScript here: run npm ci in web";
    }

    /// <summary>The compiler.</summary>
    public static string Compiler { get; } = ClientProgram.FileOf("web", "node_modules", "typescript", "lib", "tsc.js");
}
