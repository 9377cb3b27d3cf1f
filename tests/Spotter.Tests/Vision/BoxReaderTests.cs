using Spotter.Vision.Boxes;
using Spotter.Vision.Models;

namespace Spotter.Tests.Vision;

public sealed class BoxReaderTests
{
    [Fact]
    public void Columns_give_the_best_class_of_each_anchor_above_the_threshold()
    {
        // More anchors than one block and than whole vectors hold.
        const int anchors = 1531, classes = 5;
        var output = new float[(4 + classes) * anchors];
        void Put(int anchor, float x, int classId, float score)
        {
            (output[anchor], output[anchors + anchor], output[(2 * anchors) + anchor], output[(3 * anchors) + anchor]) = (x, 20, 10, 6);
            output[((4 + classId) * anchors) + anchor] = score;
        }
        Put(0, 50, 4, 0.5f);
        Put(0, 50, 2, 0.4f);
        Put(1024, 60, 0, 0.3f);
        Put(1530, 70, 3, 0.9f);
        Put(700, 80, 1, 0.29f);

        var found = new Candidates();
        BoxReader.Columns(output, anchors, classes, 0.3f, found);

        found.Span.ToArray().ShouldBe(
        [
            new Candidate(45, 17, 55, 23, 0.5f, 4, 0),
            new Candidate(55, 17, 65, 23, 0.3f, 0, 1024),
            new Candidate(65, 17, 75, 23, 0.9f, 3, 1530),
        ]);
    }

    [Fact]
    public void Rows_multiply_objectness_and_class()
    {
        float[] output =
        [
            50, 20, 10, 6, 0.8f, 0.1f, 0.9f, // 0.72
            60, 20, 10, 6, 0.2f, 1, 0, // sure of its class, not of there being anything
            70, 20, 10, 6, 0.9f, 0.2f, 0.1f, // the other way round
        ];
        var found = new Candidates();

        BoxReader.Rows(output, 7, 2, 0.25f, found);

        var only = found.Span.ToArray().ShouldHaveSingleItem();
        (only.X1, only.Y1, only.X2, only.Y2, only.ClassId, only.Anchor).ShouldBe((45f, 17f, 55f, 23f, 1, 0));
        only.Score.ShouldBe(0.72f, 1e-6f);
    }

    [Fact]
    public void Heads_count_from_their_cell_in_cells()
    {
        var model = Model(OutputLayout.Cells, classes: 1, shape: [1, 21, 6]);
        var output = new float[21 * 6];
        void Put(int anchor) => new float[] { 0.5f, 0.25f, MathF.Log(2), 0, 0.9f, 1 }.CopyTo(output, anchor * 6);
        Put(4 + 2); // stride 8: row 1, column 2
        Put(16 + 3); // stride 16: row 1, column 1
        Put(20); // stride 32

        var found = new Candidates();
        BoxReader.Cells(output, model, 0.5f, found);

        found.Span.ToArray().Select(c => ((c.X1 + c.X2) / 2, (c.Y1 + c.Y2) / 2, MathF.Round(c.X2 - c.X1, 3), c.Y2 - c.Y1)).ShouldBe(
        [
            (20f, 10f, 16f, 8f),
            (24f, 20f, 32f, 16f),
            (16f, 8f, 64f, 32f),
        ]);
    }

    [Theory]
    [InlineData(float.NaN, 0)]
    [InlineData(float.PositiveInfinity, 17)]
    [InlineData(float.NegativeInfinity, 146)]
    public void Numbers_that_mean_nothing_are_told_wherever_they_are(float bad, int at)
    {
        var output = new float[7 * 21];
        ModelOutputs.AllFinite(output).ShouldBeTrue();

        output[at] = bad;

        ModelOutputs.AllFinite(output).ShouldBeFalse();
    }

    internal static ModelMetadata Model(OutputLayout layout, int classes, long[] shape) => new()
    {
        Info = new("test", "detect", "test", 32, 32, [.. Enumerable.Range(0, classes).Select(LabelNames.Unnamed)]),
        Input = new InputSpec { Index = 0, Type = 1, Width = 32, Height = 32 },
        Layout = layout,
        Outputs = [0],
        Shapes = [shape],
        Classes = classes,
        Facts = [],
    };
}
