using System.Reflection;

namespace Spotter.Vision.Models;

/// <summary>The class names of the data sets that most models are trained on, in the order in which models give them.</summary>
internal static class LabelSets
{
    private static readonly Lazy<IReadOnlyList<string>> ImageNetNames = new(ReadImageNet);

    /// <summary>The 80 classes of COCO.</summary>
    public static IReadOnlyList<string> Coco { get; } =
    [
        "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
        "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
        "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
        "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
        "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
        "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
        "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
        "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
        "hair drier", "toothbrush",
    ];

    /// <summary>The same under the numbers of COCO's own files: from 1 to 90, ten of which were never used; 0 is nothing.</summary>
    public static IReadOnlyList<string> CocoNumbered { get; } = NumberCoco();

    /// <summary>The 15 classes of DOTA 1, aerial pictures with turned boxes.</summary>
    public static IReadOnlyList<string> Dota { get; } =
    [
        "plane", "ship", "storage tank", "baseball diamond", "tennis court", "basketball court", "ground track field",
        "harbor", "bridge", "large vehicle", "small vehicle", "helicopter", "roundabout", "soccer ball field", "swimming pool",
    ];

    /// <summary>The 19 classes of Cityscapes, what is seen from a car.</summary>
    public static IReadOnlyList<string> Cityscapes { get; } =
    [
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
        "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    ];

    /// <summary>The background and the 20 classes of Pascal VOC.</summary>
    public static IReadOnlyList<string> Voc { get; } =
    [
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "dining table", "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
    ];

    /// <summary>The 1,000 classes of ImageNet's challenge, each by the first of its names.</summary>
    public static IReadOnlyList<string> ImageNet => ImageNetNames.Value;

    /// <summary>The 17 keypoints of people in COCO.</summary>
    public static IReadOnlyList<string> CocoKeypoints { get; } =
    [
        "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
        "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle", "right ankle",
    ];

    /// <summary>The landmarks of a face that its detectors give, left and right as of the person.</summary>
    public static IReadOnlyList<string> FaceLandmarks { get; } = ["right eye", "left eye", "nose", "right mouth corner", "left mouth corner"];

    /// <summary>Which of the keypoints of people are joined.</summary>
    public static IReadOnlyList<IReadOnlyList<int>> CocoSkeleton { get; } =
    [
        [15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8],
        [7, 9], [8, 10], [1, 2], [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6],
    ];

    /// <summary>The 33 landmarks of a body that MediaPipe's model gives, left and right as of the person.</summary>
    public static IReadOnlyList<string> BodyKeypoints { get; } =
    [
        "nose", "left eye inner", "left eye", "left eye outer", "right eye inner", "right eye", "right eye outer", "left ear", "right ear",
        "mouth left", "mouth right", "left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist",
        "left pinky", "right pinky", "left index", "right index", "left thumb", "right thumb", "left hip", "right hip",
        "left knee", "right knee", "left ankle", "right ankle", "left heel", "right heel", "left foot index", "right foot index",
    ];

    /// <summary>Which of these are joined.</summary>
    public static IReadOnlyList<IReadOnlyList<int>> BodySkeleton { get; } =
    [
        [0, 1], [1, 2], [2, 3], [3, 7], [0, 4], [4, 5], [5, 6], [6, 8], [9, 10], [11, 12], [11, 13], [13, 15], [15, 17], [15, 19],
        [15, 21], [17, 19], [12, 14], [14, 16], [16, 18], [16, 20], [16, 22], [18, 20], [11, 23], [12, 24], [23, 24], [23, 25],
        [24, 26], [25, 27], [26, 28], [27, 29], [28, 30], [29, 31], [30, 32], [27, 31], [28, 32],
    ];

    private static List<string> NumberCoco()
    {
        ReadOnlySpan<int> unused = [0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83];
        var names = new List<string>();
        var next = 0;
        while (next < Coco.Count)
            names.Add(unused.Contains(names.Count) ? (names.Count == 0 ? "nothing" : LabelNames.Unnamed(names.Count)) : Coco[next++]);
        return names;
    }

    private static List<string> ReadImageNet()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("imagenet-labels.txt")!;
        using var reader = new StreamReader(stream);
        var names = new List<string>(1000);
        while (reader.ReadLine() is { } name)
            names.Add(name);
        return names;
    }
}
