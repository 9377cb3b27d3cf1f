namespace Spotter.Vision.Images;

/// <summary>
/// How a stored picture has to be turned to stand upright: the eight values of EXIF's orientation. A pixel that is stored
/// at (x, y) of a raster belongs at <c>Origin + x * StepX + y * StepY</c> of the upright raster, so that turning costs
/// nothing where pixels are written anyway.
/// </summary>
/// <param name="Exif">1 to 8; 1 is upright as stored.</param>
internal readonly record struct Orientation(int Exif)
{
    /// <summary>True when upright width is stored height.</summary>
    public bool SwapsAxes => Exif >= 5;

    /// <summary>True when stored columns run the other way in the upright picture, whether they are its columns or its rows.</summary>
    public bool FlipsX => Exif is 2 or 3 or 7 or 8;

    /// <summary>True when stored rows run the other way in the upright picture.</summary>
    public bool FlipsY => Exif is 3 or 4 or 6 or 7;

    /// <summary>Width and height of the upright picture; also the other way round.</summary>
    public (int Width, int Height) Turn(int width, int height) => SwapsAxes ? (height, width) : (width, height);

    /// <summary>Where stored pixels belong in an upright raster.</summary>
    /// <param name="width">Stored width.</param>
    /// <param name="height">Stored height.</param>
    /// <param name="stride">Distance of two rows of the upright raster, in elements.</param>
    /// <param name="step">Distance of two neighbours in a row of the upright raster, in elements.</param>
    public (int Origin, int StepX, int StepY) Place(int width, int height, int stride, int step)
    {
        int right = (width - 1) * step, bottom = (height - 1) * stride;
        int turnedRight = (height - 1) * step, turnedBottom = (width - 1) * stride;
        return Exif switch
        {
            2 => (right, -step, stride),
            3 => (right + bottom, -step, -stride),
            4 => (bottom, step, -stride),
            5 => (0, stride, step),
            6 => (turnedRight, stride, -step),
            7 => (turnedRight + turnedBottom, -stride, -step),
            8 => (turnedBottom, -stride, step),
            _ => (0, step, stride),
        };
    }
}
