using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Joined;
using Spotter.Engines.Options;
using Spotter.Jobs;

namespace Spotter.Tests.Engines;

/// <summary>What an engine of a worker may say of itself, and what requests can say to it then.</summary>
public sealed class JoinedEngineTests
{
    private static readonly DeclarationCheck Declarations = new(EngineCatalogue.BuiltIn);

    private static readonly EngineDeclaration Good = new("brightness", "1.0")
    {
        Help = "Says how bright a picture is",
        MediaTypes = ["image/png", "video/*", "application/octet-stream"],
        MaxInputBytes = 1 << 20,
        MaxInputs = 3,
        RunSeconds = 0.5,
        MaxOutputBytes = 0,
        OutputMediaType = "image/png",
        Reusable = true,
        Options =
        [
            new("threshold", "whole") { Min = 0, Max = 255, Default = RawJson.OfText("128") },
            new("gain", "number") { Min = -1.5, Default = RawJson.OfText("1e-1") },
            new("how", "choice") { Choices = ["mean", "most"], Default = RawJson.OfText("\"mean\"") },
            new("fine", "flag") { Default = RawJson.OfText("true") },
            new("note", "text") { Max = 5 },
            new("more", "json") { Default = RawJson.OfText("""{"a":[1]}""") },
            // As engines that come with Spotter have one, which is a number there.
            new("confidence", "json"),
        ],
    };

    [Fact]
    public void A_declaration_is_taken_and_means_what_it_says()
    {
        Declarations.Check(Good);
        var engine = new JoinedEngine(Good);

        (engine.NeedsModel, engine.CanBeDrawn, engine.OutputMediaType, engine.Limits.MostInputs, engine.Limits.InputBytes, engine.Limits.RunTime).ShouldBe((false, false, "image/png", 3, 1 << 20, TimeSpan.FromSeconds(0.5)));
        engine.Limits.TermsFor("brightness").Take("video/mp4").ShouldBe("video/mp4");
        new JoinedEngine(new EngineDeclaration("a", "1")).Limits.MediaTypes.ShouldBe(InputTerms.Pictures);
        Parameters().ShouldBe("""{"threshold":128,"gain":0.1,"how":"mean","fine":true,"more":{"a":[1]}}""");
        Parameters(("threshold", "7"), ("gain", "-1.5"), ("how", "most"), ("fine", "0"), ("note", "\"ü\\"), ("more", "[ 1, {} ]"))
            .ShouldBe("""{"threshold":7,"gain":-1.5,"how":"most","fine":false,"note":"\u0022\u00FC\\","more":[1,{}]}""");
    }

    [Theory]
    [InlineData("threshold", "256", "from 0 to 255")]
    [InlineData("threshold", "1.5", "whole number")]
    [InlineData("threshold", "99999999999999999999", "whole number")]
    [InlineData("gain", "-2", "at least -1.5")]
    [InlineData("gain", "NaN", "a number")]
    [InlineData("gain", "Infinity", "a number")]
    [InlineData("gain", "1e999", "a number")]
    [InlineData("how", "Mean", "mean or most")]
    [InlineData("fine", "maybe", "true or false")]
    [InlineData("note", "sixsix", "at most 5 characters")]
    [InlineData("more", "1", "a list or an object")]
    [InlineData("more", "{", "a list or an object")]
    [InlineData("more", """{"a":1,"a":2}""", "a list or an object")]
    [InlineData("more", "[\"\\ud800\"]", "a list or an object")]
    public void What_an_option_does_not_take_is_refused_in_the_usual_words(string name, string text, string words)
    {
        var refusal = Should.Throw<SpotterException>(() => Parameters((name, text)));

        (refusal.Code, refusal.Message.Contains(words, StringComparison.Ordinal)).ShouldBe((ErrorCodes.InvalidRequest, true), refusal.Message);
        refusal.Message.ShouldContain($"'{name}'");
    }

    public static TheoryData<string, EngineDeclaration?> Bad()
    {
        var bad = new TheoryData<string, EngineDeclaration?>
        {
            { "null", null },
            { "comes with Spotter", Good with { Name = "detect" } },
            { "comes with Spotter", Good with { Name = "annotate" } },
            { "comes with Spotter", Good with { Name = "tensor" } },
            { "media types", Good with { MediaTypes = ["image/PNG"] } },
            { "media types", Good with { MediaTypes = ["*/*"] } },
            { "media types", Good with { MediaTypes = [null!] } },
            { "media types", Good with { MediaTypes = [.. Enumerable.Repeat("a/b", 33)] } },
            { "maxInputBytes", Good with { MaxInputBytes = 0 } },
            { "maxInputBytes", Good with { MaxInputBytes = long.MaxValue } },
            { "maxInputs", Good with { MaxInputs = 0 } },
            { "runSeconds", Good with { RunSeconds = double.NaN } },
            { "runSeconds", Good with { RunSeconds = -1 } },
            { "runSeconds", Good with { RunSeconds = 1e9 } },
            { "maxOutputBytes", Good with { MaxOutputBytes = -1 } },
            { "outputMediaType", Good with { OutputMediaType = "text/html" } },
            { "outputMediaType", Good with { OutputMediaType = "image/svg+xml" } },
            { "more than 64 options", Good with { Options = [.. Enumerable.Range(0, 65).Select(i => new DeclaredOption($"o{i}", "flag"))] } },
            { "two options of one name", Good with { Options = [new("a", "flag"), new("a", "text")] } },
            { "whose name can't be", Good with { Options = [null!] } },
        };
        foreach (var name in (string[])["", "Upper", "1st", "-a", "a b", "a/b", "../x", "a\n", "ä", null!, new string('a', 65)])
            bad.Add("The name of an engine", Good with { Name = name });
        foreach (var version in (string[])["", "1 0", "1/0", "<b>", "1\n", null!, new string('1', 65)])
            bad.Add("version", Good with { Version = version });
        foreach (var help in (string[])["two\nlines", "\u001b[31mred", "turned \u202E around", "\u0000", new string('x', 301)])
        {
            bad.Add("help text", Good with { Help = help });
            bad.Add("help text", Of(new DeclaredOption("a", "flag") { Help = help }));
        }
        // What every request has, and what chooses an engine, comes several times or is a secret.
        foreach (var name in (string[])["image", "file", "url", "engine", "model", "priority", "callback", "callback_secret", "reuse", "filter", "labels", "annotate"])
            bad.Add("means something else", Of(new DeclaredOption(name, "text")));
        foreach (var name in (string[])["", "Upper", "a-b", "a b", "__proto__", null!, new string('a', 65)])
            bad.Add("whose name can't be", Of(new DeclaredOption(name, "text")));
        bad.Add("has a type", Of(new DeclaredOption("a", "string")));
        bad.Add("has a type", Of(new DeclaredOption("a", null!)));
        bad.Add("nothing lies", Of(new DeclaredOption("a", "number") { Min = 2, Max = 1 }));
        bad.Add("nothing lies", Of(new DeclaredOption("a", "number") { Min = double.NaN }));
        bad.Add("whole numbers", Of(new DeclaredOption("a", "whole") { Max = 1e300 }));
        bad.Add("characters", Of(new DeclaredOption("a", "text") { Max = 1e6 }));
        bad.Add("choices", Of(new DeclaredOption("a", "choice")));
        bad.Add("choices", Of(new DeclaredOption("a", "text") { Choices = ["x"] }));
        bad.Add("choices", Of(new DeclaredOption("a", "choice") { Choices = ["x", null!] }));
        bad.Add("choices", Of(new DeclaredOption("a", "choice") { Choices = ["x\n"] }));
        foreach (var (type, value) in ((string, string)[])[("whole", "1.5"), ("whole", "\"1\""), ("number", "true"), ("flag", "1"), ("text", "1"), ("choice", "\"y\""), ("json", "\"{}\""), ("json", "1"), ("text", "\"\\ud800\"")])
            bad.Add("default", Of(new DeclaredOption("a", type) { Choices = type == "choice" ? ["x"] : [], Default = RawJson.OfText(value) }));
        return bad;

        static EngineDeclaration Of(DeclaredOption option) => Good with { Options = [option] };
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_can_not_be_is_refused_with_what_it_may_be(string words, EngineDeclaration? declared)
    {
        var refusal = Should.Throw<SpotterException>(() => Declarations.Check(declared));

        refusal.Code.ShouldBe(ErrorCodes.InvalidRequest);
        refusal.Message.ShouldContain(words);
    }

    [Fact]
    public void Whatever_a_worker_writes_is_refused_or_can_be_asked_for()
    {
        var random = RandomSource.Seeded(1);
        var text = JsonSerializer.Serialize(Good, SpotterJson.Default.EngineDeclaration);
        var taken = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var changes = 1 + (int)(random.NextDouble() * 3); changes > 0; changes--)
                bytes[(int)(random.NextDouble() * bytes.Length)] = (byte)" \"0159-.,:[]{}\\azn\u007f\u0001"[(int)(random.NextDouble() * 20)];
            EngineDeclaration? declared;
            try
            {
                declared = JsonSerializer.Deserialize(bytes, SpotterJson.Default.EngineDeclaration);
                Declarations.Check(declared);
            }
            catch (Exception refused) when (refused is JsonException or SpotterException { Code: ErrorCodes.InvalidRequest } or InvalidOperationException)
            {
                continue;
            }
            taken++;
            var engine = new JoinedEngine(declared!);
            using var parameters = JsonDocument.Parse(engine.Prepare(new JobFields(), null, [], 1).Parameters.Utf8);
            parameters.RootElement.ValueKind.ShouldBe(JsonValueKind.Object);
        }
        taken.ShouldBeGreaterThan(100, "else nothing was tried");
    }

    [Fact]
    public void A_form_knows_the_engine_and_its_options_as_those_that_come_with_Spotter()
    {
        var (engines, models) = Followed();
        models.Bring([ModelInfo.Of(Good)]);
        var form = new JobForm(engines);
        form.Set("engine", "brightness");
        using var structure = JsonDocument.Parse("""{"x":1}""");
        form.Set("confidence", structure.RootElement);
        form.Set("threshold", "9");

        var request = form.Resolve([], [new InputRef("in/1", "image/png", 10, new string('0', 64))]);

        (request.Engine, request.Model, request.ModelVersion).ShouldBe(("brightness", "brightness", "1.0"));
        request.Parameters.ToString().ShouldContain("\"threshold\":9");
        request.Parameters.ToString().ShouldContain("\"confidence\":{\"x\":1}");
        request.CacheParameters.ShouldBe(request.Parameters);
        engines.QueuesOf([]).ShouldBe(["annotate", "filter"], "Spotter's own workers don't run it");
        EngineCatalogue.BuiltIn.Find("brightness").ShouldBeNull("no other gateway of the process knows it");

        var stray = new JobForm(engines);
        stray.Set("engine", "brightness");
        stray.Set("tile", "640");
        Should.Throw<SpotterException>(() => stray.Resolve([], [])).Message.ShouldContain("'tile'");
        var unknown = new JobForm(engines);
        unknown.Set("engine", "smell");
        var refusal = Should.Throw<SpotterException>(() => unknown.Resolve([], []));
        (refusal.Code, refusal.Message.Contains("'brightness'", StringComparison.Ordinal)).ShouldBe((ErrorCodes.UnknownEngine, true), refusal.Message);
        var none = new JobForm(engines);
        Should.Throw<SpotterException>(() => none.Resolve([], [])).Code.ShouldBe(ErrorCodes.NoModel, "nobody chose it");
    }

    [Fact]
    public void A_model_and_an_engine_do_not_share_a_name()
    {
        var (engines, models) = Followed();
        models.Set([new CatalogueModel("plates", new ModelInfo("plates", "detect", "yolox", 1, 1, []))]);
        models.Bring([ModelInfo.Of(Good with { Name = "plates" }), ModelInfo.Of(Good)]);
        models.Bring([new ModelInfo("brightness", "detect", "yolox", 1, 1, []) { Version = "9" }]);

        models.Engines.Select(e => (e.Id, e.Version)).ShouldBe([("brightness", "1.0")]);
        models.Models.Select(m => m.Id).ShouldBe(["plates"], "engines are no models to choose from");
        engines.FindOffered("plates").ShouldBeNull();
    }

    [Fact]
    public void Another_gateway_replaces_an_engine_that_is_had_here_only_by_a_newer_version()
    {
        var (_, models) = Followed();
        models.Bring([ModelInfo.Of(Good with { Version = "1.9" })]);
        models.IsHad = _ => true;
        models.Hear([ModelInfo.Of(Good with { Version = "1.8" })]);
        models.Engines.ShouldHaveSingleItem().Version.ShouldBe("1.9");
        models.Hear([ModelInfo.Of(Good with { Version = "1.10" })]);
        models.Engines.ShouldHaveSingleItem().Version.ShouldBe("1.10");
        models.IsHad = _ => false;
        models.Hear([ModelInfo.Of(Good with { Version = "1.8" })]);
        models.Engines.ShouldHaveSingleItem().Version.ShouldBe("1.8", "an engine can go back to an earlier version");
    }

    [Theory]
    [InlineData("1.9", "1.10")]
    [InlineData("1", "1.0")]
    [InlineData("1.0-a", "1.0-b")]
    [InlineData("1.0-rc.2", "1.0-rc.10")]
    [InlineData("1.0-rc.1", "1.0")]
    [InlineData("1.0", "1.1-rc.1")]
    [InlineData("9", "10")]
    [InlineData("2026.1", "2026.11")]
    [InlineData("1.99999999999999999999998", "1.99999999999999999999999")]
    public void Versions_are_compared_part_by_part(string older, string newer)
    {
        EngineVersion.Compare(older, newer).ShouldBeLessThan(0);
        EngineVersion.Compare(newer, older).ShouldBeGreaterThan(0);
        EngineVersion.Compare(newer, newer).ShouldBe(0);
    }

    [Fact]
    public void Only_an_object_that_every_client_can_read_is_passed_on()
    {
        foreach (var good in (string[])["{}", " {\"a\":[1,\"\\u00e4\\ud83d\\ude00 ü\"]}\n", Deep(31)])
            ResultCheck.IsObject(Encoding.UTF8.GetBytes(good)).ShouldBeTrue(good);
        foreach (var bad in (string[])["", "1", "[]", "null", "{", "{}{}", "{\"a\":1,}", "{/**/}", "{\"a\":\"\\ud800\"}", "{\"\\udc00\":1}", "{\"a\":NaN}", Deep(33), "\uFEFF{}"])
            ResultCheck.IsObject(Encoding.UTF8.GetBytes(bad)).ShouldBeFalse(bad);
        ResultCheck.IsObject("{\"a\":\"\xff\"}"u8.ToArray().Select(b => b == 0xc3 ? (byte)0xff : b).ToArray()).ShouldBeFalse("no UTF-8");

        static string Deep(int levels) => string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);
    }

    [Fact]
    public void The_line_of_a_result_is_its_summary()
    {
        var engine = new JoinedEngine(Good);
        engine.Describe(RawJson.OfText("""{"summary":"mean\n128"}""")).ShouldBe("mean 128");
        engine.Describe(RawJson.OfText("""{"summary":5}""")).ShouldBeNull();
        engine.Describe(RawJson.OfText("""{"mean":5}""")).ShouldBeNull();
        engine.Describe(RawJson.OfText($$"""{"summary":"{{new string('x', 9000)}}"}"""))!.Length.ShouldBe(500);
    }

    private static (EngineCatalogue Engines, ModelCatalogue Models) Followed()
    {
        var (engines, models) = (new EngineCatalogue(EngineCatalogue.BuiltIn.Compiled), new ModelCatalogue((IReadOnlyList<CatalogueModel>)[]));
        engines.Follow(models);
        return (engines, models);
    }

    private static string Parameters(params (string Name, string Text)[] said)
    {
        var fields = new JobFields();
        foreach (var (name, text) in said)
            fields.TryAdd(name, text);
        return new JoinedEngine(Good).Prepare(fields, null, [], 1).Parameters.ToString();
    }
}
