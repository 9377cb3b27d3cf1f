namespace Spotter.Vision.Models;

/// <summary>Where in a row of numbers about one finding its box, its score and its class are.</summary>
/// <param name="Box">Column of the first of four corners: left, top, right, bottom.</param>
/// <param name="Score">Column of the score.</param>
/// <param name="Class">Column of the class.</param>
/// <param name="YFirst">Corners come as top, left, bottom, right.</param>
/// <param name="Picture">Column of the picture's number in its batch; -1 when there is none.</param>
internal readonly record struct RowOrder(int Box, int Score, int Class, bool YFirst = false, int Picture = -1)
{
    /// <summary>Corners, score, class: YOLOv10 and later.</summary>
    public static RowOrder CornersFirst { get; } = new(0, 4, 5);

    /// <summary>Class, score, corners: PaddleDetection.</summary>
    public static RowOrder ClassFirst { get; } = new(2, 1, 0);

    /// <summary>Picture, corners, class, score: YOLOv7 with suppression.</summary>
    public static RowOrder PictureCornersClass { get; } = new(1, 6, 5, Picture: 0);

    /// <summary>Picture, corners, score, class: super-gradients.</summary>
    public static RowOrder PictureCornersScore { get; } = new(1, 5, 6, Picture: 0);

    /// <summary>Picture, class, score, corners: Caffe's and OpenVINO's DetectionOutput.</summary>
    public static RowOrder PictureClass { get; } = new(3, 2, 1, Picture: 0);

    /// <summary>Picture, top, left, bottom, right, score, class: EfficientDet of google/automl.</summary>
    public static RowOrder PictureTopFirst { get; } = new(1, 5, 6, YFirst: true, Picture: 0);

    /// <summary>Every order of rows of so many numbers, the more common first.</summary>
    public static IReadOnlyList<RowOrder> Of(int numbers) => numbers switch
    {
        6 => [CornersFirst, ClassFirst, new(0, 5, 4), new(2, 0, 1)],
        7 => [PictureCornersClass, PictureCornersScore, PictureClass],
        _ => [],
    };

    /// <summary>
    /// The order that an output's name spells, as <c>batchno_classid_score_x1y1x2y2</c>; null when it does not, or not for as many numbers.
    /// </summary>
    public static RowOrder? Named(string name, int numbers)
    {
        int at = 0, box = -1, score = -1, label = -1, picture = -1;
        var yFirst = false;
        foreach (var word in name.ToLowerInvariant().Split(['_', '-', ' ', ',', '.', '/', ':'], StringSplitOptions.RemoveEmptyEntries))
        {
            var (place, width) = word switch
            {
                "batch" or "batchno" or "batchid" or "batchindex" or "image" or "imageid" or "img" or "imgid" => ('p', 1),
                "class" or "classid" or "classno" or "cls" or "label" or "labels" or "category" or "categoryid" => ('c', 1),
                "score" or "scores" or "conf" or "confidence" or "prob" => ('s', 1),
                "x1y1x2y2" or "x0y0x1y1" or "xyxy" or "xminyminxmaxymax" or "box" or "boxes" or "bbox" or "bboxes" => ('b', 4),
                "y1x1y2x2" or "y0x0y1x1" or "yxyx" or "yminxminymaxxmax" => ('y', 4),
                _ => (' ', 0),
            };
            ref var column = ref picture;
            switch (place)
            {
                case 'p':
                    break;
                case 'c':
                    column = ref label;
                    break;
                case 's':
                    column = ref score;
                    break;
                case 'b' or 'y':
                    column = ref box;
                    yFirst = place == 'y';
                    break;
                default:
                    continue;
            }
            if (column >= 0)
                return null;
            column = at;
            at += width;
        }
        return at == numbers && box >= 0 && score >= 0 && label >= 0 ? new RowOrder(box, score, label, yFirst, picture) : null;
    }

    /// <summary>
    /// Whether a row can be a finding: a score from 0 to 1, a whole class, corners that aren't exchanged. Null for a row that is none,
    /// as those that fill up an output: all the same number, or no score.
    /// </summary>
    public bool? CanBe(ReadOnlySpan<float> row, int classes)
    {
        if (!row.ContainsAnyExcept(row[0]) || row[Score] <= 0)
            return null;
        return row[Score] <= 1.001f
            && row[Class] >= 0 && row[Class] < classes && row[Class] == MathF.Truncate(row[Class])
            && row[Box] <= row[Box + 2] && row[Box + 1] <= row[Box + 3]
            && (Picture < 0 || row[Picture] == 0);
    }
}
