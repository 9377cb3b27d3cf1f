namespace Spotter.Vision.Models;

/// <content>What brings a vector to length 1.</content>
internal sealed partial class OnnxFile
{
    // What exporters put between a length and the division by it, so that nothing is divided by zero.
    private static readonly HashSet<string> Guards = new(StringComparer.Ordinal) { "Clip", "Max", "Add", "Expand", "Identity", "Cast", "Unsqueeze", "Reshape", "Pow" };

    /// <summary>True when a tensor's numbers are divided by their length last.</summary>
    public bool IsNormalised(string tensor)
    {
        for (var steps = 0; steps < MostSteps && makers.TryGetValue(tensor, out var node); steps++)
        {
            if (node.Operator is "LpNormalization")
                return true;
            if (node.Operator is "Div" or "Mul" && node.Inputs is [_, var by])
                return IsLength(by) || (node.Operator == "Mul" && IsLength(node.Inputs[0]));
            if (!Movers.Contains(node.Operator) || node.Inputs is [])
                return false;
            tensor = node.Inputs[0];
        }
        return false;
    }

    /// <summary>A root of a sum of squares, or one divided by it.</summary>
    private bool IsLength(string tensor)
    {
        var root = false;
        for (var steps = 0; steps < MostSteps && makers.TryGetValue(tensor, out var node) && node.Inputs.Count > 0; steps++)
        {
            if (node.Operator is "ReduceL2" || (root && node.Operator is "ReduceSumSquare" or "ReduceSum"))
                return true;
            if (node.Operator is "Sqrt")
                root = true;
            else if (node.Operator is not "Reciprocal" && !Guards.Contains(node.Operator))
                return false;
            tensor = node.Inputs[0];
        }
        return false;
    }
}
