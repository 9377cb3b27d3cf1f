namespace Spotter.Vision.Export;

/// <summary>A format in which other tools read what was found.</summary>
public enum ResultFormat
{
    /// <summary>A table with a line for each object, label or text (RFC 4180).</summary>
    Csv,

    /// <summary>A data set as COCO has it, with a <c>score</c> for each annotation.</summary>
    Coco,

    /// <summary>A text of label lines for each picture, as YOLO is trained with.</summary>
    Yolo,

    /// <summary>Annotations of CVAT, "CVAT for images 1.1".</summary>
    Cvat,

    /// <summary>Tasks of Label Studio with predictions, for a start on labelling by hand.</summary>
    LabelStudio,
}
