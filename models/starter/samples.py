"""Draws the sample pictures of the web page: ordinary scenes of a seed of their own, each with several
classes, chosen by rule: a street, a shop and a paper background."""
import argparse
import os

import cv2
import numpy as np

import scenes
from signs import CLASSES, DISTRACTORS, pick

SETS = {"street": (scenes.bg_street, ["traffic light", "stop", "speed limit", "crossing", "parking"]),
        "shop": (scenes.bg_shelves, ["barcode", "QR code", "emergency exit", "warning"]),
        "crossroads": (scenes.bg_street, ["yield", "direction", "no entry", "warning", "traffic light"])}


def draw(name, seed):
    paint, wanted = SETS[name]
    rng = np.random.default_rng([4, seed])
    img = np.ascontiguousarray(np.clip(paint(rng, 640, 480), 0, 255), np.float32)
    img = cv2.GaussianBlur(img, (0, 0), 1.2)
    boxes, count = [], 0
    draws = dict(CLASSES)
    for i, c in enumerate(wanted):
        size = rng.uniform(150, 200) if i == 0 else rng.uniform(75, 140)
        count += scenes.place(rng, img, boxes, c, draws[c], size) is not None
    for _ in range(2):
        scenes.place(rng, img, boxes, None, pick(rng, DISTRACTORS), rng.uniform(60, 90))
    noise = rng.standard_normal(img.shape, dtype=np.float32) * 2.0
    return np.clip(scenes.light(rng, img) + noise, 0, 255).astype(np.uint8), count == len(wanted)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", required=True)
    p.add_argument("--pick", default="street=4,shop=4,crossroads=2", help="which drawing of each, by number")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for part in a.pick.split(","):
        name, number = part.split("=")
        cv2.imwrite(f"{a.out}/{name}.jpg", draw(name, int(number))[0], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
