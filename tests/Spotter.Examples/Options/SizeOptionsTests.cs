using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Jobs;

namespace Spotter.Examples.Options;

/// <summary>One declaration arrives everywhere.</summary>
public sealed class SizeOptionsTests
{
    private static readonly InputRef Input = new("a-key", "image/png", Bytes: 1000, new string('0', 64));

    [Theory]
    [InlineData(null, "pixels")]
    [InlineData("megapixels", "megapixels")]
    public void The_form_takes_it(string? said, string told)
    {
        var form = Form();
        if (said is not null)
            form.Set("unit", said);

        form.Resolve([], [Input]).Parameters.ToString().ShouldBe($$"""{"unit":"{{told}}"}""", StringCompareShould.IgnoreCase);
    }

    [Fact]
    public void The_form_refuses_what_it_is_not_and_says_what_it_may_be()
    {
        var form = Form();
        form.Set("unit", "miles");

        Should.Throw<SpotterException>(() => form.Resolve([], [Input])).Message.ShouldBe("The field 'unit' is 'miles'; it is pixels or megapixels.");
    }

    [Fact]
    public void Where_its_engine_is_not_registered_it_is_unknown() =>
        Should.Throw<SpotterException>(() => new JobForm(EngineCatalogue.BuiltIn).Set("unit", "pixels")).Message.ShouldStartWith("The field 'unit' is unknown");

    [Fact]
    public async Task The_description_of_the_api_has_it()
    {
        await using var deployment = await Deployment.StartAsync();

        using var document = JsonDocument.Parse(await deployment.Client.GetStringAsync(new Uri("openapi/v1.json", UriKind.Relative)));

        var unit = document.RootElement.GetProperty("paths").GetProperty("/v1/jobs").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("multipart/form-data").GetProperty("schema").GetProperty("properties").GetProperty("unit");
        unit.GetProperty("enum").EnumerateArray().Select(e => e.GetString()).ShouldBe(["pixels", "megapixels"]);
        unit.GetProperty("description").GetString().ShouldBe("Engine `size`. What the size is given in; default pixels.");
    }

    [Fact]
    public void The_table_in_the_documentation_has_it() =>
        OptionsTable.Markdown(Deployment.Engines).ShouldContain("| `unit` | pixels or megapixels | pixels | What the size is given in |");

    private static JobForm Form()
    {
        var form = new JobForm(Deployment.Engines);
        form.Set("engine", "size");
        return form;
    }
}
