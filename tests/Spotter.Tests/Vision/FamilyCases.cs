using static Spotter.Tests.Vision.TestGraph;

namespace Spotter.Tests.Vision;

/// <summary>
/// Every kind of detector with the ports, notes and numbers that its project's exports have, for an input of 96 x 96
/// (63 cells per stride of 32), which finds one thing: class 2 at (16, 24) to (40, 48) of the input, 90 % sure.
/// </summary>
internal static class FamilyCases
{
    public const int Edge = 96;

    // 12 x 12, 6 x 6 and 3 x 3 cells of strides 8, 16 and 32.
    private const int Cells = 189;

    // 10 x 10 and 5 x 5 cells of strides 16 and 32.
    private const int TinyEdge = 160;
    private const int TinyCells = 125;

    private const float Sure = 0.9f;
    private const float Third = 24f / Edge;
    private const string ThreeNames = "{0: 'ant', 1: 'bee', 2: 'cat'}";

    private static readonly float[] Centre = [28, 36, 24, 24];
    private static readonly float[] Corners = [16, 24, 40, 48];
    private static readonly float[] CentreShares = [28f / Edge, 36f / Edge, Third, Third];
    private static readonly float[] CornerShares = [16f / Edge, 24f / Edge, 40f / Edge, 48f / Edge];

    public static IReadOnlyDictionary<string, FamilyCase> All { get; } = new Dictionary<string, FamilyCase>(StringComparer.Ordinal)
    {
        ["YOLOv5"] = new(() => Picture().Output("output0", V5Rows(3 * Cells, 80)), "yolov5", "car"),
        ["YOLOv5 with notes"] = new(() => Picture().Output("output0", V5Rows(3 * Cells, 3)).Note("stride", "32").Note("names", ThreeNames), "yolov5", "cat"),
        ["YOLOv5 P6"] = new(() => Taking(1, 3, 128, 128).Output("output", V5Rows(3 * (256 + 64 + 16 + 4), 80)), "yolov5", "car") { Edge = 128 },
        ["YOLOv5 for masks"] = new(() => Picture().Output("output0", V5Rows(3 * Cells, 80, 32)).Output("output1", Prototypes()), "yolov5", "car", "segment"),
        ["YOLOv5 on any size"] = new(() => Taking(-1, 3, -1, -1).Output("output0", V5Rows(3 * Cells, 3), declared: [-1, -1, 8]).Note("imgsz", "[96, 96]").Note("stride", "32").Note("names", ThreeNames), "yolov5", "cat"),
        ["YOLOv7 with suppression"] = new(() => Picture().Output("output", new Grid(1, 7).Put(0, 0, [0, .. Corners, 2, Sure]), declared: [-1, 7]), "yolov7-nms", "car"),
        ["YOLOv6"] = new(() => Picture().Output("outputs", V6Rows()), "yolov6", "car"),

        ["YOLOv8"] = new(() => Picture().Output("output0", V8Columns(80)), "yolov8", "car"),
        ["YOLOv8 with notes"] = new(() => Noted(Picture(), "detect").Output("output0", V8Columns(3)), "yolov8", "cat"),
        ["YOLOv8 of halves"] = new(() => Noted(new TestGraph().Input("images", Float16, 1, 3, Edge, Edge), "detect").Output("output0", V8Columns(3), Float16), "yolov8", "cat"),
        ["YOLOv8 on any size"] = new(() => Noted(Taking(-1, 3, -1, -1), "detect").Note("imgsz", "[96, 96]").Output("output0", V8Columns(3), declared: [-1, 7, -1]), "yolov8", "cat"),
        ["YOLO11 for masks"] = new(() => Noted(Picture(), "segment").Output("output0", V8Columns(3, 32)).Output("output1", Prototypes()), "yolov8", "cat", "segment"),
        ["YOLOv8 for masks without notes"] = new(() => Picture().Output("output0", V8Columns(80, 32)).Output("output1", Prototypes()), "yolov8", "car", "segment"),
        ["YOLOv8 for poses"] = new(() => Noted(Picture(), "pose", "{0: 'person'}").Note("kpt_shape", "[17, 3]").Output("output0", V8Columns(1, 51, 0)), "yolov8", "person", "pose", 0),
        ["YOLOv8 for poses without notes"] = new(() => Picture().Output("output0", V8Columns(1, 51, 0)), "yolov8", "person", "pose", 0),
        ["YOLOv8 for poses of its own"] = new(() => Noted(Picture(), "pose").Note("kpt_shape", "[4, 2]").Output("output0", V8Columns(3, 8)), "yolov8", "cat", "pose"),
        ["YOLO11 for turned boxes"] = new(() => Noted(Picture(), "obb").Output("output0", V8Columns(3, 1)), "yolov8", "cat", "obb"),
        ["YOLOv8 for turned boxes without notes"] = new(() => Turning(Picture()).Output("output0", V8Columns(15, 1)), "yolov8", "storage tank", "obb"),
        ["YOLOv8 with rows for columns"] = new(() => Picture().Output("output0", ScoreRows(80)), "yolov8", "car"),
        ["YOLOv8 with rows for columns and notes"] = new(() => Noted(Picture(), "detect").Output("output0", ScoreRows(3)), "yolov8", "cat"),
        ["YOLOv8 for masks with rows for columns"] = new(() => Noted(Picture(), "segment").Output("output0", ScoreRows(3, 32)).Output("output1", Prototypes()), "yolov8", "cat", "segment"),
        ["YOLOv9 with a second head"] = new(() => Picture().Output("output0", V8Columns(80)).Output("output1", V8Columns(80)), "yolov8", "car"),

        ["YOLOv10"] = new(() => Noted(Picture(), "detect").Output("output0", EndToEnd()), "end2end", "cat"),
        ["YOLOv10 without notes"] = new(() => Picture().Output("output0", EndToEnd()), "end2end", "car"),
        ["YOLO26"] = new(() => Noted(Taking(-1, 3, -1, -1), "detect").Note("imgsz", "[96, 96]").Note("end2end", "True").Output("output0", EndToEnd(), declared: [-1, 300, 6]), "end2end", "cat"),
        ["YOLO26 for masks"] = new(() => Noted(Picture(), "segment").Output("output0", EndToEnd(32)).Output("output1", Prototypes()), "end2end", "cat", "segment"),
        ["YOLO26 for masks without notes"] = new(() => Picture().Output("output0", EndToEnd(32)).Output("output1", Prototypes()), "end2end", "car", "segment"),
        ["YOLO26 for poses"] = new(() => Noted(Picture(), "pose").Note("kpt_shape", "[17, 3]").Output("output0", EndToEnd(51)), "end2end", "cat", "pose"),
        ["YOLO26 for poses without notes"] = new(() => Picture().Output("output0", EndToEnd(51, 0)), "end2end", "person", "pose", 0),
        ["YOLO26 for turned boxes"] = new(() => Noted(Picture(), "obb").Output("output0", EndToEnd(1, box: Centre)), "end2end", "cat", "obb"),
        ["YOLO26 for turned boxes without notes"] = new(() => Turning(Picture()).Output("output0", EndToEnd(1, box: Centre)), "end2end", "storage tank", "obb"),

        ["YOLOX"] = new(() => Picture().Output("output", XCells()), "yolox", "car"),
        ["YOLOX decoded"] = new(() => Picture().Output("output", XDecoded()), "yolox", "car"),
        ["YOLO-NAS"] = new(() => Picture().Output("boxes", new Grid(1, Cells, 4).Put(50, 0, Corners)).Output("scores", new Grid(1, Cells, 80).Put(50, 2, Sure)), "yolo-nas", "car"),
        ["YOLO-NAS scores first"] = new(() => Picture().Output("914", new Grid(1, Cells, 80).Put(50, 2, Sure)).Output("904", new Grid(1, Cells, 4).Put(50, 0, Corners)), "yolo-nas", "car"),
        ["YOLO-NAS with flat suppression"] = new(() => Bytes().Output("graph2_flat_predictions", new Grid(1, 7).Put(0, 0, [0, .. Corners, Sure, 2]), declared: [-1, 7]), "yolo-nas", "car"),
        ["YOLO-NAS with suppression"] = new(() => Bytes()
            .Output("graph2_num_predictions", new Grid(1, 1).Fill(1), TestGraph.Int64).Output("graph2_pred_boxes", new Grid(1, 1000, 4).Put(0, 0, Corners))
            .Output("graph2_pred_scores", new Grid(1, 1000).Put(0, 0, Sure)).Output("graph2_pred_classes", new Grid(1, 1000).Put(0, 0, 2), TestGraph.Int64), "end2end", "car"),
        ["YOLO with TensorRT's suppression"] = new(() => Picture()
            .Output("num_dets", new Grid(1, 1).Fill(1), TestGraph.Int32).Output("det_boxes", new Grid(1, 100, 4).Put(0, 0, Corners).Put(1, 0, Corners))
            .Output("det_scores", new Grid(1, 100).Put(0, 0, Sure, Sure)).Output("det_classes", new Grid(1, 100).Put(0, 0, 2, 5), TestGraph.Int32), "end2end", "car"),
        ["NanoDet-Plus"] = new(() => Picture().Output("output", Distances(193, 0)), "nanodet", "car"),
        ["NanoDet"] = new(() => Picture().Output("output", Distances(Cells, 0.5f)), "nanodet", "car"),

        ["NanoDet with outputs for each stride"] = new(() => PerStride(Picture(), 3, 0.5f), "nanodet", "car"),
        ["PicoDet without suppression"] = new(() => PerStride(Picture(), 4, 0.5f), "nanodet", "car"),

        ["SCRFD"] = new(() => Scrfd(landmarks: true), "scrfd", "face", "pose", 0),
        ["SCRFD without landmarks"] = new(() => Scrfd(landmarks: false), "scrfd", "face", 0),
        ["YuNet"] = new(YuNet, "yunet", "face", "pose", 0),
        ["RetinaFace"] = new(() => RetinaFace(logits: false), "retinaface", "face", "pose", 0),
        ["RetinaFace without softmax"] = new(() => RetinaFace(logits: true), "retinaface", "face", "pose", 0),
        ["YOLOv5-face"] = new(() => Picture().Output("output", new Grid(1, 3 * Cells, 16).Put(50, 0, [.. Centre, Sure, 24, 32, 32, 32, 28, 36, 24, 40, 32, 40, 1])), "yolov5-face", "face", "pose", 0),
        ["MoveNet of one person"] = new(() => new TestGraph().Input("input", TestGraph.Int32, 1, Edge, Edge, 3).Output("output_0", [1, 1, 17, 3], [.. MoveNetPoints()]), "movenet", "person", "pose", 0),
        ["MoveNet of six"] = new(() => new TestGraph().Input("input", TestGraph.Int32, 1, Edge, Edge, 3)
            .Output("output_0", new Grid(1, 6, 56).Put(3, 0, [.. MoveNetPoints(), .. RowsFirst(), Sure])), "movenet", "person", "pose", 0),
        ["MoveNet with its colours first"] = new(() => Picture().Output("kpt_with_conf", [1, 1, 17, 3], [.. MoveNetPoints()]), "movenet", "person", "pose", 0),
        ["MediaPipe's pose landmarks"] = new(MediaPipePose, "mediapipe-pose", "person", "pose", 0),
        ["YOLACT"] = new(() => Yolact(logits: false), "yolact", "car", "segment"),
        ["YOLACT without softmax"] = new(() => Yolact(logits: true), "yolact", "car", "segment"),
        ["UltraFace"] = new(() => Picture()
            .Output("scores", Nothing(4420, 2).Put(50, 0, 1 - Sure, Sure)).Output("boxes", new Grid(1, 4420, 4).Put(50, 0, CornerShares)), "ultraface", "face", 0),
        ["SSD with decoded boxes"] = new(() => Picture()
            .Output("scores", Nothing(8732, 81).Put(50, 0, 1 - Sure, 0, 0, Sure)).Output("boxes", new Grid(1, 8732, 4).Put(50, 0, CornerShares)), "ssd", "car"),

        ["YOLOv4"] = new(() => Yolov4(3 * Cells), "yolov4", "car"),
        ["YOLOv4-tiny"] = new(() => Yolov4(3 * TinyCells, TinyEdge), "yolov4", "car") { Edge = TinyEdge },
        ["YOLOv3-tiny"] = new(() => Taking(1, 3, TinyEdge, TinyEdge).Output("output0", V5Rows(3 * TinyCells, 80)), "yolov5", "car") { Edge = TinyEdge },
        ["YOLOv8 with two heads"] = new(() => Taking(1, 3, TinyEdge, TinyEdge).Output("output0", new Grid(1, 84, TinyCells).Column(20, 0, Centre).Column(20, 6, Sure)), "yolov8", "car") { Edge = TinyEdge },
        ["YOLOv8 without a sigmoid"] = new(() => Picture().Output("output0", Logits()), "yolov8", "car"),

        ["PP-YOLOE"] = new(() => Paddle(Taking(-1, 3, Edge, Edge), -1), "paddle-detection", "car"),
        ["RT-DETR of PaddleDetection"] = new(() => Paddle(new TestGraph().Input("im_shape", Float32, -1, 2).Input("image", Float32, -1, 3, Edge, Edge), 300, "im_shape"), "paddle-detection", "car"),
        ["EfficientDet"] = new(() => new TestGraph().Input("image_arrays:0", UInt8, 1, Edge, Edge, 3)
            .Output("detections:0", new Grid(1, 100, 7).Put(0, 0, [0, Corners[1], Corners[0], Corners[3], Corners[2], Sure, 2])), "ssd", "bicycle"),
        ["Caffe's DetectionOutput"] = new(() => Picture().Output("detection_out", new Grid(1, 1, 100, 7).Put(0, 0, [0, 2, Sure, .. CornerShares]).Put(1, 0, [-1, 5, Sure, .. CornerShares])), "ssd", "bicycle"),
        ["findings whose name says their order"] = new(() => Picture()
            .Output("batchno_classid_score_x1y1x2y2", new Grid(1, 7).Put(0, 0, [0, 2, Sure, .. Corners])), "yolov7-nms", "car"),
        ["findings whose name says that the top comes first"] = new(() => Picture()
            .Output("batchno_classid_score_y1x1y2x2", new Grid(1, 7).Put(0, 0, [0, 2, Sure, Corners[1], Corners[0], Corners[3], Corners[2]])), "yolov7-nms", "car"),
        ["findings whose numbers say their order"] = new(() => Picture().Output("output", new Grid(1, 300, 6).Put(0, 0, [2, Sure, .. Corners])), "end2end", "car"),
        ["findings with their picture whose numbers say their order"] = new(() => Picture().Output("output", new Grid(3, 7).Put(0, 0, [0, 2, Sure, .. Corners]), declared: [-1, 7]), "yolov7-nms", "car"),

        ["DEIMv2 with free lengths"] = new(() => Told(-1, "labels", "boxes", "scores"), "rt-detr", "car"),
        ["DEIMv2 without a batch"] = new(DeimSqueezed, "rt-detr", "car"),
        ["D-FINE told the height first"] = new(() => Told(-1, heightFirst: true, "labels", "boxes", "scores"), "rt-detr", "car"),

        ["RT-DETR"] = new(() => Told(1, "labels", "boxes", "scores"), "rt-detr", "car"),
        ["D-FINE"] = new(() => Told(-1, "labels", "boxes", "scores"), "rt-detr", "car"),
        ["DEIM in another order"] = new(() => Told(-1, "scores", "labels", "boxes"), "rt-detr", "car"),
        ["RT-DETR of Ultralytics"] = new(() => Picture().Output("output0", ScoreRows(80, queries: true)), "rt-detr", "car"),
        ["RT-DETR of Ultralytics with two classes"] = new(() => Noted(Picture(), "detect", "['ant', 'bee']").Note("description", "Ultralytics rtdetr-l model")
            .Output("output0", new Grid(1, 300, 6).Put(50, 0, [.. CentreShares, 0, Sure])), "rt-detr", "bee", classId: 1),
        ["RT-DETR from Hugging Face"] = new(() => HuggingFace(300, 80, -1), "rt-detr", "car"),
        ["D-FINE from Hugging Face with classes of its own"] = new(() => HuggingFace(300, 7, -1), "rt-detr", "class 2"),
        ["DETR from Hugging Face"] = new(() => HuggingFace(100, 92, 1), "detr", "bicycle"),
        ["Table Transformer"] = new(() => HuggingFace(15, 4, 1), "detr", "class 2"),
        ["RF-DETR"] = new(() => Taking(1, 3, Edge, Edge)
            .Output("dets", new Grid(1, 300, 4).Put(50, 0, CentreShares)).Output("labels", new Grid(1, 300, 91).Fill(-9).Put(50, 2, Logit(Sure))), "detr", "bicycle"),
        ["RF-DETR with names"] = new(() => Taking(1, 3, Edge, Edge).Note("names", ThreeNames)
            .Output("dets", new Grid(1, 300, 4).Put(50, 0, CentreShares)).Output("labels", new Grid(1, 300, 4).Fill(-9).Put(50, 2, Logit(Sure))), "detr", "cat"),

        ["SSD of TensorFlow 1"] = new(() => new TestGraph().Input("image_tensor:0", UInt8, 1, -1, -1, 3)
            .Output("detection_boxes:0", new Grid(1, 100, 4).Put(0, 0, RowsFirst())).Output("detection_classes:0", new Grid(1, 100).Fill(1).Put(0, 0, 2))
            .Output("detection_scores:0", new Grid(1, 100).Put(0, 0, Sure)).Output("num_detections:0", new Grid(1).Fill(100)), "ssd", "bicycle"),
        ["SSD of TensorFlow 2"] = new(() => new TestGraph().Input("input_tensor", UInt8, 1, -1, -1, 3)
            .Output("detection_anchor_indices", new Grid(1, 100)).Output("detection_boxes", new Grid(1, 100, 4).Put(0, 0, RowsFirst()), declared: [1, -1, 4])
            .Output("detection_classes", new Grid(1, 100).Fill(1).Put(0, 0, 2), declared: [1, -1]).Output("detection_multiclass_scores", new Grid(1, 100, 91))
            .Output("detection_scores", new Grid(1, 100).Put(0, 0, Sure), declared: [1, -1]).Output("num_detections", new Grid(1).Fill(100))
            .Output("raw_detection_boxes", new Grid(1, 1917, 4)).Output("raw_detection_scores", new Grid(1, 1917, 91)), "ssd", "bicycle"),
        ["torchvision"] = new(() => Picture()
            .Output("boxes", new Grid(1, 4).Put(0, 0, Corners), declared: [-1, 4]).Output("labels", new Grid(1).Fill(2), TestGraph.Int64, [-1])
            .Output("scores", new Grid(1).Fill(Sure), declared: [-1]), "ssd", "bicycle"),
        ["torchvision without a batch"] = new(() => Taking(3, Edge, Edge)
            .Output("4471", new Grid(1, 4).Put(0, 0, Corners), declared: [-1, 4]).Output("4472", new Grid(1).Fill(Sure), declared: [-1])
            .Output("4473", new Grid(1).Fill(2), TestGraph.Int64, [-1]), "ssd", "bicycle"),
    };

    private static TestGraph Picture() => Taking(1, 3, Edge, Edge);

    private static TestGraph Bytes() => new TestGraph().Input("input", UInt8, 1, 3, Edge, Edge);

    private static TestGraph Noted(TestGraph graph, string task, string names = ThreeNames) =>
        graph.Note("task", task).Note("stride", "32").Note("names", names).Note("author", "Ultralytics");

    /// <summary>Has the operators of a head that turns its boxes.</summary>
    private static TestGraph Turning(TestGraph graph) =>
        graph.Constant("angle", [1], [0.5f]).Node("Sin", ["angle"], ["sine"]).Node("Cos", ["angle"], ["cosine"]);

    private static float[] RowsFirst() => [CornerShares[1], CornerShares[0], CornerShares[3], CornerShares[2]];

    private static float Logit(float share) => MathF.Log(share / (1 - share));

    private static Grid V5Rows(int rows, int classes, int extras = 0) =>
        new Grid(1, rows, 5 + classes + extras).Put(50, 0, [.. Centre, Sure, 0.1f, 0, 1]);

    private static Grid V6Rows()
    {
        var grid = new Grid(1, Cells, 85).Put(50, 0, Centre).Put(50, 7, Sure);
        for (var row = 0; row < Cells; row++)
            grid.Put(row, 4, 1);
        return grid;
    }

    private static Grid V8Columns(int classes, int extras = 0, int classId = 2) =>
        new Grid(1, 4 + classes + extras, Cells).Column(50, 0, Centre).Column(50, 4 + classId, Sure);

    private static Grid ScoreRows(int classes, int extras = 0, bool queries = false) =>
        new Grid(1, queries ? 300 : Cells, 4 + classes + extras).Put(50, 0, queries ? CentreShares : Centre).Put(50, 6, Sure);

    private static Grid EndToEnd(int extras = 0, int classId = 2, float[]? box = null) =>
        new Grid(1, 300, 6 + extras).Put(0, 0, [.. box ?? Corners, Sure, classId]);

    private static Grid XCells()
    {
        // Cell (3, 4) of the finest head begins at (24, 32).
        const int cell = (4 * 12) + 3;
        return new Grid(1, Cells, 85).Put(cell, 0, [0.5f, 0.5f, MathF.Log(3), MathF.Log(3), Sure, 0, 0, 1]);
    }

    private static Grid XDecoded()
    {
        var grid = new Grid(1, Cells, 85);
        for (var row = 0; row < Cells; row++)
            grid.Put(row, 0, 48, 48, 10, 10);
        return grid.Put(50, 0, [.. Centre, Sure, 0, 0, 1]);
    }

    private static Grid Prototypes() => new Grid(1, 32, 24, 24).Fill(1);

    /// <summary>Eight bins for each side; a bin far above the others is the distance.</summary>
    private static Grid Distances(int cells, float offset)
    {
        // The point of cell (3, 4) of the finest head is (24, 32), or (28, 36) for those that count from the middle.
        const int cell = (4 * 12) + 3;
        const int bins = 8;
        var grid = new Grid(1, cells, 80 + (4 * bins)).Put(cell, 2, Sure);
        (float Low, float High)[] sides = offset == 0 ? [(1, 0), (1, 0), (2, 0), (2, 0)] : [(1, 0.5f), (1, 0.5f), (1, 0.5f), (1, 0.5f)];
        for (var side = 0; side < 4; side++)
        {
            var (bin, between) = sides[side];
            grid.Put(cell, 80 + (side * bins) + (int)bin, 40);
            if (between > 0)
                grid.Put(cell, 80 + (side * bins) + (int)bin + 1, 40);
        }
        return grid;
    }

    /// <summary>A second input with the picture's width and height, by which boxes are multiplied (RT-DETR's own export).</summary>
    private static TestGraph Told(long batch, params string[] order) => Told(batch, heightFirst: false, order);

    private static TestGraph Told(long batch, bool heightFirst, params string[] order)
    {
        var graph = new TestGraph().Input("images", Float32, batch, 3, Edge, Edge).Input("orig_target_sizes", TestGraph.Int64, batch, 2)
            .Constant("shares", [1, 300, 4], new Grid(1, 300, 4).Put(7, 0, CornerShares).Numbers)
            .Constant("turned", [2], heightFirst ? [1, 0] : [0, 1], TestGraph.Int64)
            .Node("Gather", ["orig_target_sizes", "turned"], ["in_order"], ("axis", 1))
            .Node("Cast", ["in_order"], ["size"], ("to", Float32))
            .Node("Concat", ["size", "size"], ["sizes"], ("axis", 1))
            .Constant("one", [1], [1], TestGraph.Int64)
            .Node("Unsqueeze", ["sizes", "one"], ["each"])
            .Node("Mul", ["shares", "each"], ["boxes"]);
        foreach (var name in order)
        {
            _ = name switch
            {
                "boxes" => graph.Output("boxes", Float32, batch, 300, 4),
                "labels" => graph.Output("labels", new Grid(1, 300).Put(0, 7, 2), TestGraph.Int64, [batch, 300]),
                _ => graph.Output("scores", new Grid(1, 300).Put(0, 7, Sure), declared: [batch, 300]),
            };
        }
        return graph;
    }

    /// <summary>As <see cref="Told(long, string[])"/>, but with a list for one picture, whose lengths the file leaves open.</summary>
    private static TestGraph DeimSqueezed() => new TestGraph().Input("images", Float32, -1, 3, Edge, Edge).Input("orig_target_sizes", TestGraph.Int64, -1, 2)
        .Constant("shares", [300, 4], new Grid(300, 4).Put(7, 0, CornerShares).Numbers)
        .Node("Cast", ["orig_target_sizes"], ["size"], ("to", Float32))
        .Node("Concat", ["size", "size"], ["sizes"], ("axis", 1))
        .Node("Mul", ["shares", "sizes"], ["boxes"])
        .Output("labels", new Grid(300).Put(0, 7, 2), TestGraph.Int64, [-1])
        .Output("boxes", Float32, -1, -1)
        .Output("scores", new Grid(300).Put(0, 7, Sure), declared: [-1]);

    private static Grid Nothing(int rows, int columns)
    {
        var grid = new Grid(1, rows, columns);
        for (var row = 0; row < rows; row++)
            grid.Put(row, 0, 1);
        return grid;
    }

    private static Grid Logits()
    {
        var grid = V8Columns(80);
        for (var at = 4 * Cells; at < grid.Numbers.Length; at++)
            grid.Numbers[at] = -9;
        return grid.Column(50, 6, Logit(Sure));
    }

    private static TestGraph Yolov4(int rows, int edge = Edge) => Taking(1, 3, edge, edge)
        .Output("boxes", [1, rows, 1, 4], new Grid(rows, 4).Put(50, 0, [.. Corners.Select(c => c / edge)]).Numbers).Output("confs", new Grid(1, rows, 80).Put(50, 2, Sure));

    /// <summary>All its numbers are larger or smaller unless it is told that pictures were not scaled, and are as large as its input.</summary>
    private static TestGraph Paddle(TestGraph graph, int rows, string? shape = null)
    {
        graph.Input("scale_factor", Float32, -1, 2).Constant("rows", [Math.Max(1, rows), 6], new Grid(Math.Max(1, rows), 6).Put(0, 0, [2, Sure, .. Corners]).Numbers)
            .Node("ReduceMean", ["scale_factor"], ["scale"], ("keepdims", 0)).Node("Div", ["rows", "scale"], ["scaled"]);
        if (shape is null)
            graph.Node("Identity", ["scaled"], ["multiclass_nms3_0.tmp_0"]);
        else
            graph.Constant("edge", [1], [Edge]).Node("ReduceMean", [shape], ["size"], ("keepdims", 0)).Node("Div", ["size", "edge"], ["of_input"]).Node("Mul", ["scaled", "of_input"], ["multiclass_nms3_0.tmp_0"]);
        return graph.Output("multiclass_nms3_0.tmp_0", Float32, rows, 6)
        .Output("multiclass_nms3_0.tmp_2", new Grid(1).Fill(Math.Max(1, rows)), TestGraph.Int32, [-1]);
    }

    /// <summary>The distributions of <see cref="Distances"/>, with an output of their own for each stride, and the boxes first.</summary>
    private static TestGraph PerStride(TestGraph graph, int strides, float offset)
    {
        var joined = Distances(Cells, offset);
        foreach (var (stride, cells) in ((int, int)[])[(32, 9), (64, 4), (8, 144), (16, 36)])
        {
            if (stride == 64 && strides == 3)
                continue;
            var (scores, sides) = (new Grid(1, cells, 80), new Grid(1, cells, 32));
            for (var row = 0; row < cells && stride == 8; row++)
            {
                scores.Put(row, 0, joined.Numbers[(row * 112)..((row * 112) + 80)]);
                sides.Put(row, 0, joined.Numbers[((row * 112) + 80)..((row * 112) + 112)]);
            }
            graph.Output($"dis_pred_stride_{stride}", sides).Output($"cls_pred_stride_{stride}", scores);
        }
        return graph;
    }

    /// <summary>Two boxes for each cell, counted from its corner; names that say nothing, scores of all strides first.</summary>
    private static TestGraph Scrfd(bool landmarks)
    {
        // The corner of cell (3, 4) is (24, 32).
        const int row = 2 * ((4 * 12) + 3);
        var graph = Picture();
        var name = 440;
        foreach (var numbers in landmarks ? (int[])[1, 4, 10] : [1, 4])
        {
            foreach (var rows in (int[])[288, 72, 18])
            {
                var grid = new Grid(rows, numbers);
                if (rows == 288)
                    grid.Put(row, 0, numbers switch { 1 => [Sure], 4 => [1, 1, 2, 2], _ => [0, 0, 1, 0, 0.5f, 0.5f, 0, 1, 1, 1] });
                graph.Output($"{name++}", grid);
            }
        }
        return graph;
    }

    private static TestGraph YuNet()
    {
        const int cell = (4 * 12) + 3;
        var graph = Picture();
        foreach (var (kind, numbers) in ((string, int)[])[("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)])
        {
            foreach (var (stride, cells) in ((int, int)[])[(8, 144), (16, 36), (32, 9)])
            {
                var grid = new Grid(1, cells, numbers);
                if (stride == 8)
                    grid.Put(cell, 0, kind switch { "cls" => [0.81f], "obj" => [1], "bbox" => [0.5f, 0.5f, MathF.Log(3), MathF.Log(3)], _ => [0, 0, 1, 0, 0.5f, 0.5f, 0, 1, 1, 1] });
                graph.Output($"{kind}_{stride}", grid);
            }
        }
        return graph;
    }

    /// <summary>The middle of cell (3, 4) of the finest head is (28, 36), and its first prepared box 16 pixels wide.</summary>
    private static TestGraph RetinaFace(bool logits)
    {
        const int row = 2 * ((4 * 12) + 3);
        var growth = MathF.Log(1.5f) / 0.2f;
        var scores = Nothing(2 * Cells, 2).Put(row, 0, 1 - Sure, Sure);
        if (logits)
        {
            for (var at = 0; at < 2 * Cells; at++)
                scores.Put(at, 0, 5, -5);
            scores.Put(row, 0, 0, Logit(Sure));
        }
        return Picture().Output("input0", new Grid(1, 2 * Cells, 4).Put(row, 0, 0, 0, growth, growth))
            .Output("571", scores).Output("570", new Grid(1, 2 * Cells, 10).Put(row, 0, -5, -5, 5, -5, 0, 0, -5, 5, 5, 5));
    }

    /// <summary>The first keypoint at the box's first corner, the second at its other, and the rest in its middle; y before x, in shares.</summary>
    private static IEnumerable<float> MoveNetPoints() => Enumerable.Range(0, 17).SelectMany(i => i switch
    {
        0 => (float[])[CornerShares[1], CornerShares[0], Sure],
        1 => [CornerShares[3], CornerShares[2], Sure],
        _ => [CentreShares[1], CentreShares[0], Sure],
    });

    /// <summary>As <see cref="MoveNetPoints"/>, but in pixels, with depths, and six points more that lie elsewhere.</summary>
    private static TestGraph MediaPipePose()
    {
        var points = Enumerable.Range(0, 39).SelectMany(i => i switch
        {
            0 => (float[])[Corners[0], Corners[1], -40, Logit(Sure), 9],
            1 => [Corners[2], Corners[3], -40, Logit(Sure), 9],
            < 33 => [Centre[0], Centre[1], 7, Logit(Sure), 9],
            _ => [90, 90, 0, 9, 9],
        });
        return new TestGraph().Input("input_1", Float32, 1, Edge, Edge, 3)
            .Output("Identity", [1, 195], [.. points]).Output("Identity_1", [1, 1], [Sure]).Output("Identity_2", [1, Edge, Edge, 1], new float[Edge * Edge])
            .Output("Identity_3", [1, 24, 24, 39], new float[24 * 24 * 39]).Output("Identity_4", [1, 117], new float[117]);
    }

    /// <summary>One prepared box is half as large as what it finds, and a little off. Prototypes are those of <see cref="Prototypes"/>.</summary>
    private static TestGraph Yolact(bool logits)
    {
        const int priors = 100;
        const float size = Third / 2;
        var scores = Nothing(priors, 81).Put(50, 0, 1 - Sure, 0, 0, Sure);
        if (logits)
        {
            scores.Fill(-30);
            for (var prior = 0; prior < priors; prior++)
                scores.Put(prior, 0, prior == 50 ? 0 : 30);
            // Of two classes the softmax gives one nine tenths.
            scores.Put(50, 3, MathF.Log(9));
        }
        var growth = MathF.Log(2) / 0.2f;
        return Picture()
            .Output("loc", new Grid(1, priors, 4).Put(50, 0, 1, -2, growth, growth)).Output("conf", scores).Output("mask", new Grid(1, priors, 32).Put(50, 0, 1))
            .Output("priors", new Grid(priors, 4).Put(50, 0, CentreShares[0] - (0.1f * size), CentreShares[1] + (0.2f * size), size, size))
            .Output("proto", [1, 24, 24, 32], [.. Enumerable.Repeat(1f, 24 * 24 * 32)]);
    }

    private static TestGraph HuggingFace(int queries, int classes, long batch)
    {
        // Where the last class is nothing, what isn't found is that.
        var logits = new Grid(1, queries, classes).Fill(-30);
        if (queries != 300)
        {
            for (var query = 0; query < queries; query++)
                logits.Put(query, classes - 1, 30);
            logits.Put(5, classes - 1, -30);
            // Of two classes the softmax gives one nine tenths.
            logits.Put(5, 0, 0);
            logits.Put(5, 2, MathF.Log(9));
        }
        else
        {
            logits.Put(5, 2, Logit(Sure));
        }
        long free = batch < 0 ? -1 : Edge;
        return new TestGraph().Input("pixel_values", Float32, batch, batch < 0 ? -1 : 3, free, free).Note("imgsz", "96")
            .Output("logits", logits, declared: [batch, batch < 0 ? -1 : queries, classes])
            .Output("pred_boxes", new Grid(1, queries, 4).Put(5, 0, CentreShares), declared: [batch, batch < 0 ? -1 : queries, 4]);
    }
}

/// <summary>A model and what is to be told of it.</summary>
internal sealed record FamilyCase(Func<TestGraph> Model, string Family, string Label, string Task = "detect", int ClassId = 2)
{
    public int Edge { get; init; } = FamilyCases.Edge;

    public FamilyCase(Func<TestGraph> model, string family, string label, int classId)
        : this(model, family, label, "detect", classId)
    {
    }
}
