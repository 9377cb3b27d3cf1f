using Microsoft.AspNetCore.Http;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Gateway.Compat;

/// <summary>What the old endpoints ask for: options are in the address, and without any the model is one that gives what the endpoint answers with.</summary>
internal static class CompatForm
{
    /// <summary>The options of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="engines">The engines.</param>
    /// <param name="own">Fields of the address that are the endpoint's own.</param>
    public static JobForm Read(HttpRequest request, EngineCatalogue engines, params IReadOnlyList<string> own)
    {
        var form = new JobForm(engines);
        foreach (var (name, values) in request.Query)
        {
            if (own.Contains(name, StringComparer.Ordinal))
                continue;
            foreach (var value in values)
                form.SetFromAddress(name, value ?? "");
        }
        return form;
    }

    /// <summary>Chooses the first model of one of these engines, unless the request has chosen or there is none.</summary>
    public static void Prefer(JobForm form, HttpRequest request, ModelCatalogue models, params IReadOnlyList<string> engines)
    {
        if (!request.Query.ContainsKey("engine") && !request.Query.ContainsKey("model") && models.Models.FirstOrDefault(m => engines.Contains(m.Engine, StringComparer.Ordinal)) is { } model)
            form.Set("model", model.Id);
    }
}
