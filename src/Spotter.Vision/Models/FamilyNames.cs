namespace Spotter.Vision.Models;

/// <summary>The names of the families of models, as they are shown and as overrides may give them.</summary>
internal static class FamilyNames
{
    public const string YoloV8 = "yolov8";
    public const string YoloV4 = "yolov4";
    public const string YoloV5 = "yolov5";
    public const string YoloV5Face = "yolov5-face";
    public const string YoloV6 = "yolov6";
    public const string YoloX = "yolox";
    public const string YoloXRaw = "yolox-raw";
    public const string YoloNas = "yolo-nas";
    public const string YoloV7Nms = "yolov7-nms";
    public const string EndToEnd = "end2end";
    public const string NanoDet = "nanodet";
    public const string RtDetr = "rt-detr";
    public const string Detr = "detr";
    public const string Ssd = "ssd";
    public const string Paddle = "paddle-detection";
    public const string Scrfd = "scrfd";
    public const string YuNet = "yunet";
    public const string RetinaFace = "retinaface";
    public const string UltraFace = "ultraface";
    public const string Yolact = "yolact";
    public const string MoveNet = "movenet";
    public const string MediaPipePose = "mediapipe-pose";
    public const string Classifier = "classifier";
    public const string Db = "db";
    public const string Ctc = "ctc";
    public const string LabelMap = "label-map";
    public const string DepthMap = "depth-map";
    public const string SaliencyMap = "saliency-map";
    public const string Embedding = "embedding";

    public static IReadOnlyList<string> All { get; } =
    [
        YoloV4, YoloV5, YoloV5Face, YoloV6, YoloV8, YoloX, YoloXRaw, YoloNas, YoloV7Nms, EndToEnd, NanoDet, RtDetr, Detr, Ssd, Paddle, Scrfd, YuNet, RetinaFace, UltraFace, Yolact, MoveNet, MediaPipePose, Classifier, Db, Ctc,
        LabelMap, DepthMap, SaliencyMap, Embedding,
    ];
}
