using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <summary>How the numbers of each person lie that a pose model gives.</summary>
/// <param name="Row">Numbers of a person.</param>
/// <param name="Step">Numbers of a keypoint: its place, how sure it is, and what isn't read.</param>
internal sealed record PeopleSpec(int Row, int Step)
{
    /// <summary>A keypoint's y comes before its x.</summary>
    public bool YFirst { get; init; }

    /// <summary>How sure a keypoint is comes as a logit, after a depth.</summary>
    public bool HasDepth { get; init; }

    /// <summary>Where a box begins, as top, left, bottom, right and score; -1 for a person who has none but that around the keypoints.</summary>
    public int Box { get; init; } = -1;

    /// <summary>How sure the person is comes in an output of its own.</summary>
    public bool HasScore { get; init; }
}

/// <summary>
/// Tells pose models that give keypoints as their only boxes: MoveNet (one person, or six), and MediaPipe's landmarks of a person
/// who fills the picture.
/// </summary>
internal static class PeopleRules
{
    // 17 keypoints of y, x and how sure; then a box and its score.
    private const int MoveNetPoints = 17;
    private const int MoveNetRow = (3 * MoveNetPoints) + 5;
    private const int MoveNetPeople = 6;

    // 33 keypoints of a body and 6 that help with cutting it out, of x, y, depth, seen, present.
    private const int MediaPipeStep = 5;
    private const int MediaPipeRow = 39 * MediaPipeStep;
    private const int MediaPipeWorld = 39 * 3;

    /// <summary>The reading; null when the outputs are none, or something else is stated.</summary>
    public static LayoutGuess? Tell(IReadOnlyList<OrtPort> outputs, LayoutHints hints)
    {
        if (hints is not { Task: null or VisionTasks.Pose, Names: null or 1, Text.Characters: null })
            return null;
        var guess = MoveNet(outputs) ?? MediaPipe(outputs);
        // The project's own exports take whole numbers; with others it is the shape alone that speaks for it.
        if (guess is { Family: FamilyNames.MoveNet } && !hints.TakesIntegers && hints.Family is null)
            guess = guess with { Doubt = "17 keypoints of three numbers can be in another order, or in other units" };
        return guess is not null && (hints.Family ?? guess.Family) == guess.Family ? guess : null;
    }

    private static LayoutGuess? MoveNet(IReadOnlyList<OrtPort> outputs) => outputs switch
    {
        [{ IsNumeric: true, Shape: [1, 1, MoveNetPoints, 3] }] => Of(FamilyNames.MoveNet, [0], MoveNetPoints, new PeopleSpec(3 * MoveNetPoints, 3) { YFirst = true }),
        [{ IsNumeric: true, Shape: [1, MoveNetPeople, MoveNetRow] }] =>
            Of(FamilyNames.MoveNet, [0], MoveNetPoints, new PeopleSpec(MoveNetRow, 3) { YFirst = true, Box = 3 * MoveNetPoints }),
        _ => null,
    };

    private static LayoutGuess? MediaPipe(IReadOnlyList<OrtPort> outputs)
    {
        int points = -1, score = -1;
        var hasWorld = outputs.Any(o => o.Shape is [1, MediaPipeWorld]);
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i] is { IsNumeric: true, Shape: [1, MediaPipeRow] })
                points = i;
            else if (outputs[i] is { IsNumeric: true, Shape: [1, 1] or [1, 1, 1, 1] })
                score = i;
        }
        return points < 0 || score < 0 || !hasWorld ? null
            : Of(FamilyNames.MediaPipePose, [points, score], LabelSets.BodyKeypoints.Count, new PeopleSpec(MediaPipeRow, MediaPipeStep) { HasDepth = true, HasScore = true });
    }

    private static LayoutGuess Of(string family, int[] outputs, int points, PeopleSpec spec) =>
        new(OutputLayout.People, family, VisionTasks.Pose, outputs, 1, 3 * points) { People = spec };
}
