namespace Spotter.Tests.Vision;

/// <summary>The numbers of an output, nearly all of them 0.</summary>
internal sealed class Grid(params long[] shape)
{
    public long[] Shape { get; } = shape;

    public float[] Numbers { get; } = new float[shape.Aggregate(1L, (a, b) => a * b)];

    private int Row => (int)Shape[^1];

    /// <summary>Sets numbers one after the other, from a place on in a row of the last dimension.</summary>
    public Grid Put(int row, int from, params float[] numbers)
    {
        numbers.CopyTo(Numbers, (row * Row) + from);
        return this;
    }

    /// <summary>Sets numbers one below the other, from a row on.</summary>
    public Grid Column(int column, int from, params float[] numbers)
    {
        for (var i = 0; i < numbers.Length; i++)
            Numbers[((from + i) * Row) + column] = numbers[i];
        return this;
    }

    public Grid Fill(float number)
    {
        Array.Fill(Numbers, number);
        return this;
    }
}

internal static class GridOutput
{
    public static TestGraph Output(this TestGraph graph, string name, Grid grid, int type = TestGraph.Float32, long[]? declared = null) =>
        graph.Output(name, grid.Shape, grid.Numbers, type, declared);
}
