using Spotter.Vision.Models;

namespace Spotter.Vision.Boxes;

/// <summary>From keypoints to people (<see cref="OutputLayout.People"/>), each with the box of the model, or else the one around what was found.</summary>
internal static class PeopleReader
{
    // Keypoints that are less sure say nothing of where somebody is.
    private const float Found = 0.2f;

    /// <param name="model">Whose outputs they are.</param>
    /// <param name="outputs">The outputs of one picture.</param>
    /// <param name="confidence">People below this are left out.</param>
    /// <param name="into">Where they are added.</param>
    public static void Read(ModelMetadata model, in ModelOutputs outputs, float confidence, Candidates into)
    {
        var spec = model.People!;
        var numbers = outputs[0];
        var (width, height) = BoxReader.Unit(model);
        for (int at = 0, person = 0; at + spec.Row <= numbers.Length; at += spec.Row, person++)
        {
            var row = numbers.Slice(at, spec.Row);
            var score = spec.HasScore ? outputs[1][0] : spec.Box >= 0 ? row[spec.Box + 4] : Mean(model, row);
            if (score < confidence)
                continue;
            var (x1, y1, x2, y2) = spec.Box >= 0 ? (row[spec.Box + 1], row[spec.Box], row[spec.Box + 3], row[spec.Box + 2]) : Around(model, row);
            into.Add(new Candidate(x1 * width, y1 * height, x2 * width, y2 * height, score, 0, person));
        }
    }

    /// <summary>Whether the numbers of all people can be keypoints: places not far outside the picture, and probabilities.</summary>
    public static bool CanBe(ModelMetadata model, in ModelOutputs outputs)
    {
        const float outside = 1, surest = 1.02f;
        var spec = model.People!;
        var numbers = outputs[0];
        var (width, height) = BoxReader.Unit(model);
        for (var at = 0; at + spec.Row <= numbers.Length; at += spec.Row)
        {
            var row = numbers.Slice(at, spec.Row);
            for (var point = 0; point < model.Keypoints!.Count; point++)
            {
                float x = Number(spec, row, point, 0) * width / model.Input.Width, y = Number(spec, row, point, 1) * height / model.Input.Height;
                if (x is < -outside or > 1 + outside || y is < -outside or > 1 + outside || Number(spec, row, point, 2) is < 1 - surest or > surest)
                    return false;
            }
        }
        return !spec.HasScore || outputs[1][0] is >= 1 - surest and <= surest;
    }

    /// <summary>A number of a keypoint: x of the first, y of the first, how sure the first is, x of the second …</summary>
    public static float Number(ModelMetadata model, in ModelOutputs outputs, int person, int index) =>
        Number(model.People!, outputs[0].Slice(person * model.People!.Row, model.People.Row), index / 3, index % 3);

    private static float Number(PeopleSpec spec, ReadOnlySpan<float> row, int point, int which)
    {
        var numbers = row.Slice(point * spec.Step, spec.Step);
        return which switch
        {
            0 => numbers[spec.YFirst ? 1 : 0],
            1 => numbers[spec.YFirst ? 0 : 1],
            _ => spec.HasDepth ? BoxReader.Activate(numbers[3], Activation.Sigmoid) : numbers[2],
        };
    }

    private static float Mean(ModelMetadata model, ReadOnlySpan<float> row)
    {
        float sum = 0;
        for (var point = 0; point < model.Keypoints!.Count; point++)
            sum += Number(model.People!, row, point, 2);
        return sum / model.Keypoints.Count;
    }

    /// <summary>The box around what was found; one without area if nothing was.</summary>
    private static (float X1, float Y1, float X2, float Y2) Around(ModelMetadata model, ReadOnlySpan<float> row)
    {
        var (x1, y1, x2, y2) = (float.MaxValue, float.MaxValue, float.MinValue, float.MinValue);
        for (var point = 0; point < model.Keypoints!.Count; point++)
        {
            if (Number(model.People!, row, point, 2) < Found)
                continue;
            float x = Number(model.People!, row, point, 0), y = Number(model.People!, row, point, 1);
            (x1, y1, x2, y2) = (Math.Min(x1, x), Math.Min(y1, y), Math.Max(x2, x), Math.Max(y2, y));
        }
        return x1 > x2 ? default : (x1, y1, x2, y2);
    }
}
