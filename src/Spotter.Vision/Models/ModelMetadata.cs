using Spotter.Core;

namespace Spotter.Vision.Models;

/// <summary>How a model's outputs are laid out.</summary>
internal enum OutputLayout
{
    /// <summary><c>[1, 4 + classes + extras, anchors]</c>: centre, size and scores in columns, no objectness (YOLOv8 and later).</summary>
    Columns,

    /// <summary><c>[1, anchors, 5 + classes + extras]</c>: centre, size, objectness and scores in rows (YOLOv5, YOLOv7, YOLOX decoded).</summary>
    Rows,

    /// <summary>As <see cref="Rows"/>, but counted from each cell of the heads, in cells (YOLOX).</summary>
    Cells,

    /// <summary><c>[1, anchors, 4 + classes]</c>: as <see cref="Columns"/> with rows and columns exchanged.</summary>
    ScoreRows,

    /// <summary><c>[1, n, 6 + extras]</c>: corners, score, class in one of several orders; no doubles (YOLOv10, YOLO26).</summary>
    EndToEnd,

    /// <summary><c>[n, 6]</c>, <c>[n, 7]</c> or <c>[1, 1, n, 7]</c>: the same, and the picture; no doubles (YOLOv7 with suppression in the graph).</summary>
    Batched,

    /// <summary><c>[1, anchors, classes + 4 * bins]</c>: scores, then for each side how far it is, as a distribution (NanoDet).</summary>
    Distances,

    /// <summary><c>[1, queries, 4 + classes]</c>: centre and size as shares of the picture, scores; no doubles (RT-DETR of Ultralytics).</summary>
    QueryRows,

    /// <summary>Two outputs, <c>[1, queries, 4]</c> as shares of the picture and <c>[1, queries, classes]</c>; no doubles (DETR, RF-DETR).</summary>
    Queries,

    /// <summary>Two outputs, corners <c>[1, anchors, 4]</c> in input pixels and scores <c>[1, anchors, classes]</c> (YOLO-NAS).</summary>
    CornersAndScores,

    /// <summary>Boxes, labels and scores, each an output of its own, perhaps their number too; no doubles (RT-DETR, D-FINE, DEIM, SSD).</summary>
    Lists,

    /// <summary>An output for each stride, or for each quantity (NanoDet, SCRFD, YuNet, RetinaFace).</summary>
    Heads,

    /// <summary>Boxes that count from prepared ones, these, scores, and coefficients for prototypes (YOLACT).</summary>
    Priors,

    /// <summary>Keypoints of one person or of a few, perhaps with a box (MoveNet, MediaPipe).</summary>
    People,

    /// <summary>One number per class for the whole picture.</summary>
    Classes,

    /// <summary><c>[1, 1, h, w]</c>, as large as the input: how likely text is at each pixel (DB).</summary>
    TextMap,

    /// <summary><c>[1, steps, columns]</c> or <c>[steps, 1, columns]</c>: scores of characters and of the blank, from left to right (CTC).</summary>
    Steps,

    /// <summary>For each cell of the picture a number per class, or the class (U-Net, DeepLab, SegFormer, BiSeNet, PP-LiteSeg).</summary>
    ClassMap,

    /// <summary>For each cell of the picture one value (MiDaS, Depth Anything, U2-Net).</summary>
    ValueMap,

    /// <summary>One vector for the whole picture (CLIP, DINOv2, ArcFace).</summary>
    Vector,
}

/// <summary>What still has to be done to scores before they are probabilities.</summary>
internal enum Activation
{
    None,
    Sigmoid,
    Softmax,
}

/// <summary>Which column of scores is the background class: that there is no object.</summary>
internal enum BackgroundColumn
{
    None,
    First,
    Last,
}

/// <summary>What the numbers of a box count in.</summary>
internal enum BoxUnits
{
    /// <summary>Pixels of the model's input.</summary>
    Input,

    /// <summary>Shares of the model's input, 0 to 1.</summary>
    Shares,

    /// <summary>Pixels of the size that the model was told in its second input.</summary>
    Told,
}

/// <summary>Everything that has to be known to run a model and read its outputs.</summary>
internal sealed record ModelMetadata
{
    public required ModelInfo Info { get; init; }

    public required InputSpec Input { get; init; }

    /// <summary>The second input, by which some models are told the picture's size; null when there is none.</summary>
    public SizeInput? Size { get; init; }

    public required OutputLayout Layout { get; init; }

    /// <summary>Indexes of the outputs that are read, in the order in which the layout's reader wants them.</summary>
    public required int[] Outputs { get; init; }

    /// <summary>Shapes of these outputs for one picture; -1 where it differs from run to run.</summary>
    public required long[][] Shapes { get; init; }

    /// <summary>Classes that are scored.</summary>
    public required int Classes { get; init; }

    /// <summary>Numbers after the scores of each box: mask coefficients, keypoints or an angle.</summary>
    public int Extras { get; init; }

    /// <summary>For <see cref="OutputLayout.Rows"/>: these come before the scores (YOLOv5-face).</summary>
    public bool ExtrasFirst { get; init; }

    public Activation Activation { get; init; }

    public BoxUnits Units { get; init; }

    /// <summary>For <see cref="OutputLayout.Lists"/>: corners come as top, left, bottom, right.</summary>
    public bool RowsFirst { get; init; }

    /// <summary>For <see cref="OutputLayout.Queries"/> and <see cref="OutputLayout.CornersAndScores"/>: which column is no class.</summary>
    public BackgroundColumn Background { get; init; }

    /// <summary>For <see cref="OutputLayout.Cells"/> and <see cref="OutputLayout.Distances"/>: the heads' strides.</summary>
    public IReadOnlyList<int> Strides { get; init; } = AnchorGrid.Strides;

    /// <summary>For <see cref="OutputLayout.Distances"/>: where in its cell an anchor lies, in cells.</summary>
    public float CellOffset { get; init; }

    /// <summary>For <see cref="OutputLayout.EndToEnd"/> and <see cref="OutputLayout.Batched"/>: what comes where.</summary>
    public RowOrder Order { get; init; } = RowOrder.CornersFirst;

    /// <summary>For <see cref="OutputLayout.Heads"/>: how their numbers make boxes.</summary>
    public HeadKind HeadKind { get; init; }

    /// <summary>For <see cref="OutputLayout.Heads"/>: the heads.</summary>
    public IReadOnlyList<Head> Heads { get; init; } = [];

    /// <summary>For <see cref="OutputLayout.People"/>: how their rows are laid out.</summary>
    public PeopleSpec? People { get; init; }

    /// <summary>Inputs besides the picture that are always given the same.</summary>
    public IReadOnlyList<FixedInput> Fixed { get; init; } = [];

    /// <summary>What the numbers of a classifier are multiplied by first: those of quantised ones go up to 255.</summary>
    public float ScoreScale { get; init; } = 1;

    /// <summary>For poses: what the keypoints are.</summary>
    public KeypointSpec? Keypoints { get; init; }

    /// <summary>For <see cref="OutputLayout.Steps"/>: what each column of scores stands for.</summary>
    public CharacterSet? Characters { get; init; }

    /// <summary>For <see cref="OutputLayout.ClassMap"/> and <see cref="OutputLayout.ValueMap"/>: how its numbers lie.</summary>
    public MapSpec? Map { get; init; }

    /// <summary>For <see cref="OutputLayout.Vector"/>: its numbers, the first of the output.</summary>
    public int Dimensions { get; init; }

    /// <summary>What was found out, and how.</summary>
    public required IReadOnlyList<ModelFact> Facts { get; init; }

    /// <summary>True when the model itself gives one box per object.</summary>
    public bool NoDuplicates => Layout is OutputLayout.EndToEnd or OutputLayout.Batched or OutputLayout.QueryRows or OutputLayout.Queries or OutputLayout.Lists or OutputLayout.TextMap or OutputLayout.People;

    /// <summary>The name of a class; models that count from one, or skip numbers, may give ids that have none.</summary>
    public string Label(int classId) => classId >= 0 && classId < Info.Labels.Count ? Info.Labels[classId] : LabelNames.Unnamed(classId);
}

/// <summary>The second input of models that answer in the picture's own pixels: <c>[1, 2]</c>.</summary>
/// <param name="Index">Its place among the inputs.</param>
/// <param name="Type">Its element type.</param>
/// <param name="HeightFirst">Height before width.</param>
internal sealed record SizeInput(int Index, int Type, bool HeightFirst);

/// <summary>An input of two numbers that are the same for every picture: <c>[1, 2]</c>.</summary>
/// <param name="Index">Its place among the inputs.</param>
/// <param name="Type">Its element type.</param>
/// <param name="First">The first number.</param>
/// <param name="Second">The second number.</param>
internal sealed record FixedInput(int Index, int Type, float First, float Second);

/// <summary>The keypoints of a model that finds poses.</summary>
/// <param name="Count">How many each object has.</param>
/// <param name="Numbers">2: x, y; 3: x, y and whether it can be seen.</param>
/// <param name="Names">What they are; null when that isn't known.</param>
/// <param name="Skeleton">Pairs of them between which a line is drawn.</param>
internal sealed record KeypointSpec(int Count, int Numbers, IReadOnlyList<string>? Names, IReadOnlyList<IReadOnlyList<int>> Skeleton);
