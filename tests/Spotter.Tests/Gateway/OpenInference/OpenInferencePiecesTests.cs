using System.Text;
using System.Text.Json;
using Spotter.Core;
using Spotter.Engines.Catalogue;
using Spotter.Engines.Tensor;
using Spotter.Gateway.OpenInference;

namespace Spotter.Tests.Gateway.OpenInference;

public sealed class OpenInferencePiecesTests
{
    [Theory]
    [InlineData("BOOL", "[true,false]", "0100")]
    [InlineData("BOOL", "[1,0]", "0100")]
    [InlineData("UINT8", "[255,1]", "FF01")]
    [InlineData("INT8", "[-1,127]", "FF7F")]
    [InlineData("UINT16", "[258,1]", "02010100")]
    [InlineData("INT16", "[-2,1]", "FEFF0100")]
    [InlineData("INT32", "[-2,1]", "FEFFFFFF01000000")]
    [InlineData("UINT32", "[4294967295,1]", "FFFFFFFF01000000")]
    [InlineData("INT64", "[-1,1]", "FFFFFFFFFFFFFFFF0100000000000000")]
    [InlineData("UINT64", "[18446744073709551615,1]", "FFFFFFFFFFFFFFFF0100000000000000")]
    [InlineData("FP16", "[1,-2]", "003C00C0")]
    [InlineData("FP32", "[1,-2]", "0000803F000000C0")]
    [InlineData("FP64", "[1,-2]", "000000000000F03F00000000000000C0")]
    public void Numbers_become_little_endian_bytes_and_come_back(string type, string json, string hex)
    {
        var port = new TensorPort("x", type, [2]);

        var bytes = TensorNumbers.Read(port, Parse(json));

        Convert.ToHexString(bytes).ShouldBe(hex);
        Written(port, bytes).ShouldBe(type == "BOOL" ? "[true,false]" : json);
    }

    [Theory]
    [InlineData("UINT8", "[256,1]")]
    [InlineData("UINT8", "[-1,1]")]
    [InlineData("UINT8", "[0.5,1]")]
    [InlineData("INT64", "[1e30,1]")]
    [InlineData("FP32", "[1e99,1]")]
    [InlineData("FP16", "[70000,1]")]
    [InlineData("BOOL", "[2,1]")]
    [InlineData("FP32", "[null,1]")]
    [InlineData("FP32", "[\"1\",1]")]
    [InlineData("FP32", "{}")]
    [InlineData("FP32", "[1]")]
    [InlineData("FP32", "[1,2,3]")]
    [InlineData("BYTES", "[1,2]")]
    [InlineData("FP8", "[1,2]")]
    public void Numbers_that_are_none_of_the_type_are_refused(string type, string json) =>
        Should.Throw<SpotterException>(() => TensorNumbers.Read(new TensorPort("x", type, [2]), Parse(json))).Code.ShouldBe(ErrorCodes.InvalidRequest);

    [Fact]
    public void Lists_within_lists_are_read_row_by_row() =>
        TensorNumbers.Read(new TensorPort("x", "UINT8", [2, 2]), Parse("[[1,2],[3,4]]")).ShouldBe([1, 2, 3, 4]);

    [Fact]
    public void What_json_can_not_say_is_not_written() =>
        Should.Throw<SpotterException>(() => Written(new TensorPort("x", "FP32", [1]), BitConverter.GetBytes(float.NaN))).Message.ShouldContain("binary_data");

    [Theory]
    [InlineData("FP32", new long[] { 1, 3, 2, 2 }, 48L)]
    [InlineData("INT64", new long[0], 8L)]
    [InlineData("FP32", new long[] { 0 }, null)]
    [InlineData("FP32", new long[] { -1 }, null)]
    [InlineData("FP32", new long[] { long.MaxValue, long.MaxValue }, null)]
    [InlineData("FP32", new long[] { 1 << 16, 1 << 16 }, null)]
    [InlineData("BYTES", new long[] { 1 }, null)]
    [InlineData("UINT8", new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, null)]
    public void A_tensor_has_so_many_bytes(string type, long[] shape, long? bytes) => new TensorPort("x", type, shape).Bytes.ShouldBe(bytes);

    [Theory]
    [InlineData(new long[] { 4, 3, 64, 64 }, true)]
    [InlineData(new long[] { 4, 3, 64, 65 }, false)]
    [InlineData(new long[] { 4, 3, 64 }, false)]
    [InlineData(new long[] { 0, 3, 64, 64 }, false)]
    public void Free_dimensions_take_any_size(long[] shape, bool takes) => new TensorPort("x", "FP32", [-1, 3, 64, 64]).Takes(shape).ShouldBe(takes);

    [Fact]
    public void Many_pictures_in_one_tensor_are_the_work_of_many()
    {
        var model = new ModelTensors([new TensorPort("x", "FP32", [-1, 3, 64, 64]), new TensorPort("sizes", "INT64", [9, 2])], [new TensorPort("y", "FP32", [-1])]);

        InferEndpoint.PicturesIn(model, new TensorParameters([new TensorPort("x", "FP32", [16, 3, 64, 64]), new TensorPort("sizes", "INT64", [9, 2])], [])).ShouldBe(16);
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"inputs":[]}""", false)]
    [InlineData("""{"inputs":null}""", false)]
    [InlineData("""{"outputs":[null]}""", false)]
    [InlineData("""{"outputs":[{"name":"","datatype":"FP32","shape":[1]}]}""", false)]
    [InlineData("""{"outputs":[{"name":"y","datatype":"BYTES","shape":[1]}]}""", false)]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":null}]}""", false)]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1]}]}""", false)]
    public void A_worker_can_not_claim_just_anything(string claim, bool isSound)
    {
        var sound = new { inputs = new[] { new { name = "x", datatype = "FP32", shape = new[] { 1 } } }, outputs = new[] { new { name = "y", datatype = "FP32", shape = new[] { 1 } } } };
        var merged = JsonSerializer.SerializeToNode(sound)!.AsObject();
        foreach (var (name, value) in System.Text.Json.Nodes.JsonNode.Parse(claim)!.AsObject())
            merged[name] = value?.DeepClone();

        merged.Deserialize<ModelTensors>(JsonSerializerOptions.Web)!.IsSound.ShouldBe(isSound);
    }

    [Theory]
    [InlineData("""{"priority":1}""", "high", null, null)]
    [InlineData("""{"priority":0}""", "normal", null, null)]
    [InlineData("""{"priority":7}""", "low", null, null)]
    [InlineData("""{"timeout":1500000}""", "normal", 1.5, 1.5)]
    [InlineData("""{"timeout":0}""", "normal", null, null)]
    [InlineData("""{"timeout":18446744073709551615}""", "normal", 604_800.0, 604_800.0)]
    [InlineData("""{"sequence_id":4,"binary_data_output":true}""", "normal", null, null)]
    public void Priority_and_timeout_become_the_schedule(string parameters, string priority, double? expires, double? wait)
    {
        var form = new JobForm(EngineCatalogue.BuiltIn);

        var waited = InferSchedule.Read(Request(parameters), form);

        form.Schedule().Priority.ToString().ShouldBe(priority, StringCompareShould.IgnoreCase);
        form.Schedule().Expires?.TotalSeconds.ShouldBe(expires!.Value);
        waited?.TotalSeconds.ShouldBe(wait!.Value);
        (form.Schedule().Expires is null, waited is null).ShouldBe((expires is null, wait is null));
    }

    [Theory]
    [InlineData("""{"priority":-1}""")]
    [InlineData("""{"priority":"first"}""")]
    [InlineData("""{"timeout":-1}""")]
    [InlineData("""{"timeout":1.5}""")]
    [InlineData("""{"nonsense":1}""")]
    public void Parameters_that_mean_nothing_are_refused(string parameters) =>
        Should.Throw<SpotterException>(() =>
        {
            var form = new JobForm(EngineCatalogue.BuiltIn);
            InferSchedule.Read(Request(parameters), form);
            form.Schedule();
        }).Code.ShouldBe(ErrorCodes.InvalidRequest);

    private static InferRequest Request(string parameters) =>
        JsonSerializer.Deserialize($$"""{"parameters":{{parameters}}}""", OpenInferenceJson.Default.InferRequest)!;

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private static string Written(TensorPort port, byte[] bytes)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            TensorNumbers.Write(json, port, bytes);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
