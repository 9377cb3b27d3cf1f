using System.Globalization;
using Spotter.Vision.OnnxRuntime;

namespace Spotter.Vision.Models;

/// <content>The inputs.</content>
internal sealed partial class ModelInspection
{
    private void FindInputs()
    {
        if (session.Inputs.Count > 3 || (session.Inputs.Count == 3 && session.Inputs.Count(IsPair) < 2))
            throw Refuse($"it has {session.Inputs.Count} inputs ({string.Join(", ", session.Inputs)}); a picture, and perhaps the picture's size, are all that is fed");
        for (var i = 0; i < session.Inputs.Count; i++)
        {
            if (input is null && Picture(i) is { } picture)
                input = picture;
            else if (IsPair(session.Inputs[i]))
                AddPair(i, session.Inputs[i]);
            else if (input is not null && session.Inputs[i].Shape is [_, 3, _, _] or [_, _, _, 3])
                throw Refuse($"its input {session.Inputs[i]} is a second picture; only one is fed");
            else if (session.Inputs.Count > 1)
                throw Refuse($"its input {session.Inputs[i]} is neither a picture nor [1,2] for the picture's size");
        }
        if (session.Inputs is [])
            throw Refuse("it has no input for a picture");
        if (input is null)
            throw Refuse($"its input {session.Inputs[0]} is no picture: it would have to be float32, float16, uint8 or int32 [1,3,height,width] or [1,height,width,3]");
        if (size is null && overrides.HeightFirst is not null)
            throw Contradicts("it has 'size', but the model has no second input for the picture's size");
        for (var i = 0; i < constant.Count; i++)
        {
            // Pictures are scaled before, so the model is told that they were not: then its boxes are in pixels of its input.
            if (!IsScale(session.Inputs[constant[i].Index]))
                constant[i] = constant[i] with { First = input.Height, Second = input.Width };
            Note("second input", $"{session.Inputs[constant[i].Index]}, {string.Create(CultureInfo.InvariantCulture, $"always {constant[i].First}, {constant[i].Second}")}", FactSource.Inferred);
        }
    }

    /// <summary>An input of two numbers: the picture's size, or what PaddleDetection's exports want to know of its scaling.</summary>
    private void AddPair(int index, OrtPort port)
    {
        if (IsScale(port))
            constant.Add(new FixedInput(index, port.Type, 1, 1));
        else if (port.Name.Equals("im_shape", StringComparison.OrdinalIgnoreCase))
            constant.Add(new FixedInput(index, port.Type, 0, 0));
        else if (size is null)
            size = new SizeInput(index, port.Type, overrides.HeightFirst ?? false);
        else
            throw Refuse($"it wants two sizes ({session.Inputs[size.Index]} and {port}); only one is fed");
    }

    private static bool IsPair(OrtPort port) => port is { Type: OrtPort.Int64 or OrtPort.Int32 or OrtPort.Float32, Shape: [1 or -1, 2 or -1] };

    private static bool IsScale(OrtPort port) => port.Name.Contains("scale", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether the size comes with its width or its height first, told by how far boxes reach when the model is told of a picture that
    /// is ten times as wide as high.
    /// </summary>
    private void FindSizeOrder(LayoutGuess guess)
    {
        const int width = 10_000, height = 1000;
        if (size is null)
            return;
        var source = overrides.HeightFirst is null ? FactSource.Assumed : FactSource.Overridden;
        if (guess.Layout == OutputLayout.Lists && overrides.HeightFirst is null)
        {
            using var told = runs.Told(input, size, constant, width, height);
            float right = 0, bottom = 0;
            var boxes = told[guess.Outputs[0]].Span;
            for (var at = 0; at + 4 <= boxes.Length; at += 4)
                (right, bottom) = (Math.Max(right, boxes[at + 2]), Math.Max(bottom, boxes[at + 3]));
            if (Math.Max(right, bottom) > 2 * height && (right > 3 * bottom || bottom > 3 * right))
                (size, source) = (size with { HeightFirst = bottom > right }, FactSource.Inferred);
        }
        Note("size input", $"{session.Inputs[size.Index]}, {(size.HeightFirst ? "height, width" : "width, height")}", source);
    }

    /// <summary>The picture input as far as its shape tells; null when it is none.</summary>
    private InputSpec? Picture(int index)
    {
        var port = session.Inputs[index];
        if (port.Type is not (OrtPort.Float32 or OrtPort.Float16 or OrtPort.UInt8 or OrtPort.Int32))
            return null;
        var single = port.Shape.Length == 3;
        if (!single && (port.Shape.Length != 4 || port.Shape[0] is not (-1 or 1)))
        {
            return port.Shape is [> 1, _, _, _]
                ? throw Refuse($"its input {port} takes {port.Shape[0]} pictures at once and no fewer; export it for one, or with a free first dimension")
                : null;
        }
        var shape = single ? port.Shape : port.Shape[1..];
        bool first = shape[0] == 3, last = shape[2] == 3;
        var channels = IsGreyLine(shape) ? 1 : 3;
        if (channels == 3 && !first && !last && shape[0] != -1 && shape[2] != -1)
            return shape[0] == 1 || shape[2] == 1 ? throw OneColour(port) : null;
        var channelsLast = channels == 1 ? shape[0] != 1 : overrides.ChannelsLast ?? (!first && last);
        if (shape[channelsLast ? 2 : 0] != channels && shape[channelsLast ? 2 : 0] != -1)
            throw Contradicts($"'input.layout' is {(channelsLast ? "nhwc" : "nchw")}, but the model's input is {port}");
        var (rows, columns) = channelsLast ? (shape[0], shape[1]) : (shape[1], shape[2]);
        State("layout", channelsLast ? "nhwc" : "nchw", overrides.ChannelsLast is not null, first != last);
        Note("type", OrtPort.NameOf(port.Type), FactSource.Stated);

        var noted = Integers(notes.GetValueOrDefault("imgsz"));
        var otherwise = InputDefaults.EdgeOf(overrides.Task ?? notes.GetValueOrDefault("task"));
        var (notedHeight, notedWidth) = noted switch
        {
            [> 0 and <= 16_384 and var h, > 0 and <= 16_384 and var w, ..] => (h, w),
            [> 0 and <= 16_384 and var edge] => (edge, edge),
            _ => (0, 0),
        };
        var height = Edge(rows, overrides.Height, notedHeight, IsSaidToRead() ? UsualLineHeight : otherwise);
        var width = Edge(columns, overrides.Width, notedWidth, otherwise);
        if (height != (overrides.Height ?? height) || width != (overrides.Width ?? width))
            throw Contradicts($"it gives the input another size than the model's own, which is fixed: {port}");
        if (height > 16_384 || width > 16_384)
            throw Refuse($"its input {port} is larger than 16384 pixels");
        var isOverridden = (rows < 0 && overrides.Height is not null) || (columns < 0 && overrides.Width is not null);
        Note("input size", string.Create(CultureInfo.InvariantCulture, $"{width} x {height}"),
            isOverridden ? FactSource.Overridden : rows > 0 && columns > 0 ? FactSource.Stated : notedHeight > 0 ? FactSource.Stated : FactSource.Assumed);
        return new InputSpec
        {
            Index = index,
            Type = port.Type,
            Width = width,
            Height = height,
            ChannelsLast = channelsLast,
            Single = single,
            Channels = channels,
            HasFreeWidth = columns < 0 && overrides.Width is null && notedWidth == 0,
            HasFreeHeight = rows < 0 && overrides.Height is null && notedHeight == 0,
            Batches = !single && port.Shape[0] < 0,
        };
    }

    private static int Edge(long stated, int? overridden, int noted, int otherwise) =>
        stated > 0 ? (int)Math.Min(stated, int.MaxValue) : overridden ?? (noted > 0 ? noted : otherwise);
}
