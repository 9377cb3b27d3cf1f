using Spotter.Core;
using Spotter.Jobs;

namespace Spotter.Tests.Gateway;

public sealed class ModelCatalogueTests
{
    private readonly ModelCatalogue catalogue = new([new CatalogueModel("starter", Model("starter"), BuiltIn: true)]);
    private readonly List<string> told = [];

    public ModelCatalogueTests() => catalogue.Brought = all => told.Add(string.Join(' ', all.Select(m => $"{m.Id}@{m.Version}")));

    [Fact]
    public void What_workers_bring_comes_after_the_files_that_workers_are_started_for()
    {
        catalogue.Bring([Model("plates")]);

        Ids().ShouldBe(["starter", "plates"]);
        (catalogue.Serves("detect/starter"), catalogue.Serves("detect/plates")).ShouldBe((true, false));
    }

    [Fact]
    public void Where_no_worker_is_started_what_somebody_has_now_goes_first()
    {
        HashSet<string> had = [];
        catalogue.StartNobody(offersBuiltIn: false);
        catalogue.IsHad = had.Contains;
        catalogue.Set([new CatalogueModel("starter", Model("starter"), BuiltIn: true), new CatalogueModel("plates", Model("plates", "here"))]);
        Ids().ShouldBe(["plates"], "nobody asked for the one that comes with Spotter");
        catalogue.Bring([Model("plates", "there")]);
        catalogue.Bring([Model("faces")]);
        catalogue.Bring([Model("cars")]);
        Ids().ShouldBe(["plates", "faces", "cars"]);
        catalogue.Models[0].Version.ShouldBe("here", "the file says it");

        had.UnionWith(["cars", "starter"]);
        Ids().ShouldBe(["cars", "plates", "faces"]);
        catalogue.Bring([Model("starter")]);
        Ids().ShouldBe(["cars", "starter", "plates", "faces"], "it is the default only where there is no other");
        (catalogue.Serves("detect/starter"), catalogue.Knows("faces"), catalogue.Knows("gone")).ShouldBe((false, true, false));
    }

    [Fact]
    public void It_is_told_when_something_is_new_and_only_then()
    {
        catalogue.Bring([Model("plates"), Model("faces")]);
        catalogue.Bring([Model("plates")]);
        catalogue.Bring([Model("plates", "v2")]);
        catalogue.Bring([Model("../x"), Model(".."), Model("a\nb"), Model(""), Model(new string('x', 129))]);

        told.ShouldBe(["plates@v1 faces@v1", "plates@v2 faces@v1"]);
        Ids().ShouldBe(["starter", "plates", "faces"], "a new version takes the place of the one before");
    }

    private IEnumerable<string> Ids() => catalogue.Models.Select(m => m.Id);

    private static ModelInfo Model(string id, string version = "v1") => new(id, "detect", "yolox", 416, 416, ["a"]) { Version = version };
}
