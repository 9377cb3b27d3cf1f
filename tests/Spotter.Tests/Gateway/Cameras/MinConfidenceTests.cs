using Spotter.Core;
using Spotter.Gateway.Cameras;

namespace Spotter.Tests.Gateway.Cameras;

public sealed class MinConfidenceTests
{
    [Theory]
    [InlineData(0.4)]
    [InlineData(0.4, "")]
    [InlineData(0.4, " ")]
    [InlineData(0.4, "0")]
    [InlineData(0.4, "0.0")]
    [InlineData(0.45, "0.45")]
    [InlineData(0.45, " 0.45\n")]
    [InlineData(0.45, ".45")]
    [InlineData(0.45, "0,45")]
    [InlineData(0.45, "4.5e-1")]
    [InlineData(0.01, "0.01")]
    [InlineData(1, "1")]
    [InlineData(0.45, "0.45", "0,45")]
    [InlineData(0.45, "", "0.45")]
    [InlineData(0.4, "0", "0.4")]
    public void What_can_be_meant_in_one_way_is_read_so(double confidence, params string[] given) => MinConfidence.Read(given).ShouldBe(confidence);

    [Theory]
    [InlineData("min_confidence is 45, and goes from 0 to 1; if you mean 45 percent, send 0.45.", "45")]
    [InlineData("min_confidence is 1.5, and goes from 0 to 1; if you mean 1.5 percent, send 0.015.", "1.5")]
    [InlineData("min_confidence is 101; send a number from 0 to 1, as 0.45.", "101")]
    [InlineData("min_confidence is -0.1; send a number from 0 to 1, as 0.45.", "-0.1")]
    [InlineData("min_confidence is 'NaN', which is no number; send one from 0 to 1, as 0.45.", "NaN")]
    [InlineData("min_confidence is '1e999', which is no number; send one from 0 to 1, as 0.45.", "1e999")]
    [InlineData("min_confidence is '40%', which is no number; send one from 0 to 1, as 0.45.", "40%")]
    [InlineData("min_confidence is '1.000,5', which is no number; send one from 0 to 1, as 0.45.", "1.000,5")]
    [InlineData("min_confidence is 'xxxxxxxxxxxxxxxxxxxx…', which is no number; send one from 0 to 1, as 0.45.", "xxxxxxxxxxxxxxxxxxxxxxxxx")]
    [InlineData("min_confidence comes several times, as 0.4 and 0.5; send it once.", "0.4", "0.5")]
    [InlineData("min_confidence comes several times, as 0.4 and 0.5; send it once.", "0", "0.5")]
    public void Anything_else_gets_a_sentence(string sentence, params string[] given)
    {
        var refusal = Should.Throw<SpotterException>(() => MinConfidence.Read(given));

        (refusal.Code, refusal.Message).ShouldBe((ErrorCodes.InvalidRequest, sentence));
    }
}
