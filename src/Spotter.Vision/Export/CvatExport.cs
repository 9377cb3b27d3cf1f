using System.Globalization;
using System.Text;
using System.Xml;

namespace Spotter.Vision.Export;

/// <summary>Annotations of CVAT ("CVAT for images 1.1", docs.cvat.ai): boxes, turned boxes, polygons, points, and tags of whole pictures.</summary>
internal static class CvatExport
{
    /// <summary>Writes the annotations as UTF-8 XML.</summary>
    public static byte[] Write(IReadOnlyList<ExportedPicture> pictures, ClassNumbers classes)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), Indent = true }))
        {
            xml.WriteStartElement("annotations");
            xml.WriteElementString("version", "1.1");
            WriteLabels(xml, classes.Names);
            for (var i = 0; i < pictures.Count; i++)
                WriteImage(xml, i, pictures[i]);
            xml.WriteEndElement();
        }
        return bytes.ToArray();
    }

    private static void WriteLabels(XmlWriter xml, IReadOnlyList<string> names)
    {
        foreach (var element in (string[])["meta", "task", "labels"])
            xml.WriteStartElement(element);
        foreach (var name in names)
        {
            xml.WriteStartElement("label");
            xml.WriteElementString("name", Allowed(name));
            xml.WriteEndElement();
        }
        for (var i = 0; i < 3; i++)
            xml.WriteEndElement();
    }

    private static void WriteImage(XmlWriter xml, int id, ExportedPicture picture)
    {
        xml.WriteStartElement("image");
        Attribute(xml, "id", id);
        xml.WriteAttributeString("name", Allowed(picture.Name));
        Attribute(xml, "width", picture.Result.Width);
        Attribute(xml, "height", picture.Result.Height);
        foreach (var found in picture.Objects)
            WriteObject(xml, found);
        if (picture.Result.Labels is [var best, ..])
        {
            Begin(xml, "tag", best.Name);
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static void WriteObject(XmlWriter xml, ExportedObject found)
    {
        if (found is { Polygons: not null, Outlines: { Count: > 0 } outlines })
        {
            foreach (var outline in outlines)
                WritePoints(xml, "polygon", found.Label, [.. outline.Chunk(2).Select(pair => (pair[0], pair[1]))]);
            return;
        }
        Begin(xml, "box", found.Label);
        var box = found.Oriented is { } turned ? Unturned(turned) : found.Box;
        Attribute(xml, "xtl", box.X1);
        Attribute(xml, "ytl", box.Y1);
        Attribute(xml, "xbr", box.X2);
        Attribute(xml, "ybr", box.Y2);
        if (found.Oriented is not null)
            Attribute(xml, "rotation", found.Oriented.Angle);
        xml.WriteEndElement();
        if (found.Keypoints?.Where(ExportedObject.IsSeen).Select(p => (p.X, p.Y)).ToList() is { Count: > 0 } points)
            WritePoints(xml, "points", found.Label, points);
    }

    /// <summary>CVAT turns a box about its middle.</summary>
    private static Box Unturned(OrientedBox turned) => new(
        turned.CentreX - (turned.Width / 2), turned.CentreY - (turned.Height / 2), turned.CentreX + (turned.Width / 2), turned.CentreY + (turned.Height / 2));

    private static void WritePoints(XmlWriter xml, string element, string label, IReadOnlyList<(double X, double Y)> points)
    {
        Begin(xml, element, label);
        xml.WriteAttributeString("points", string.Join(';', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X},{p.Y}"))));
        xml.WriteEndElement();
    }

    private static void Begin(XmlWriter xml, string element, string label)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("label", Allowed(label));
        xml.WriteAttributeString("source", "auto");
        if (element == "tag")
            return;
        Attribute(xml, "occluded", 0);
        Attribute(xml, "z_order", 0);
    }

    private static void Attribute(XmlWriter xml, string name, double value) => xml.WriteAttributeString(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>XML can't hold every character that a name may have.</summary>
    private static string Allowed(string text)
    {
        var allowed = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
                allowed.Append(text[i]).Append(text[++i]);
            else
                allowed.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '?');
        }
        return allowed.ToString();
    }
}
