#!/usr/bin/env python3
"""An engine that says how bright a PNG is, and gives its histogram as a file. Only Python's own library is needed.

    python3 brightness.py --server http://127.0.0.1:8080 --token-file token
"""

import struct
import zlib

from spotter_engine import Refused, serve

MOST_PIXELS = 40_000_000
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Values for each pixel, by the picture's kind of colour.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

DECLARATION = {
    "name": "brightness",
    "version": "1.0",
    "help": "Says how bright a PNG is",
    "mediaTypes": ["image/png"],
    "maxInputs": 20,
    "runSeconds": 120,
    "maxOutputBytes": 1_000_000,
    # The same picture always gives the same answer, so Spotter may give it again without asking.
    "reusable": True,
    "options": [
        {"name": "threshold", "type": "whole", "help": "From which value a pixel counts as bright", "min": 0, "max": 255, "default": 128},
        {"name": "histogram", "type": "flag", "help": "Also make the file histogram.csv", "default": False},
        {"name": "pause", "type": "number", "help": "Seconds to wait first, to see what becomes of slow jobs", "min": 0, "max": 60, "default": 0},
    ],
}


def run(job):
    for second in range(int(job.parameters["pause"])):
        job.progress(second / job.parameters["pause"])
        job.wait(1)
    width, height, counts = histogram_of(job.read(0), job.progress)
    pixels = width * height
    mean = sum(value * count for value, count in enumerate(counts)) / pixels
    bright = sum(counts[job.parameters["threshold"]:]) / pixels
    if job.parameters["histogram"]:
        lines = ["value,pixels", *(f"{value},{count}" for value, count in enumerate(counts))]
        job.file("histogram.csv", "text/csv", ("\n".join(lines) + "\n").encode())
    return {"width": width, "height": height, "mean": round(mean, 2), "bright": round(bright, 4), "summary": f"mean {mean:.0f} of 255"}


def histogram_of(png, progress):
    """How many pixels have which brightness, 0 to 255."""
    width, height, kind, palette, packed = parts_of(png)
    channels = CHANNELS[kind]
    stride = width * channels
    lines = inflate(packed, (stride + 1) * height)
    counts = [0] * 256
    before = bytes(stride)
    for row in range(height):
        if row % 64 == 0:
            progress(row / height)
        start = row * (stride + 1)
        line = unfilter(lines[start], lines[start + 1:start + 1 + stride], before, channels)
        before = line
        if kind in (0, 4):
            values = line[::channels]
        elif kind == 3:
            values = bytes(palette[index] if index < len(palette) else 0 for index in line)
        else:
            values = bytes(luma(*pixel) for pixel in zip(line[::channels], line[1::channels], line[2::channels]))
        for value in values:
            counts[value] += 1
    return width, height, counts


def parts_of(png):
    try:
        if png[:8] != SIGNATURE:
            raise ValueError
        width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
        if bits != 8 or kind not in CHANNELS or interlaced:
            raise Refused("unsupported_image", "Only PNGs of 8 bits that are not interlaced are read; save it as such.")
        if not 0 < width * height <= MOST_PIXELS:
            raise Refused("too_many_pixels", f"The picture has more than {MOST_PIXELS} pixels; send a smaller one.")
        palette, packed, at = [], b"", 8
        while at < len(png):
            length, name = struct.unpack(">I4s", png[at:at + 8])
            chunk = png[at + 8:at + 8 + length]
            if name == b"PLTE":
                palette = [luma(*chunk[i:i + 3]) for i in range(0, length - 2, 3)]
            elif name == b"IDAT":
                packed += chunk
            at += 12 + length
    except (ValueError, struct.error):
        raise Refused("image_invalid", "The picture is damaged, or no PNG; send another one.") from None
    return width, height, kind, palette, packed


def inflate(packed, wanted):
    """No more than the picture needs, however much is packed."""
    try:
        lines = zlib.decompressobj().decompress(packed, wanted)
    except zlib.error:
        raise Refused("image_invalid", "The picture is damaged; send another one.") from None
    if len(lines) < wanted:
        raise Refused("image_truncated", "The picture ends before it should; send it again.")
    return lines


def unfilter(how, line, above, step):
    """A line as it was before it was written as differences to its neighbours."""
    if how == 0:
        return line
    out = bytearray(line)
    for i, value in enumerate(out):
        left = out[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[how - 1] if how <= 4 else 0
        out[i] = (value + guess) & 255
    return bytes(out)


def paeth(left, up, corner):
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def luma(red, green, blue):
    return (299 * red + 587 * green + 114 * blue) // 1000


if __name__ == "__main__":
    serve(DECLARATION, run)
