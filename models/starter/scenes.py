"""Scenes: signs and codes in perspective over procedural backgrounds, with the faults of real pictures.

Scene number i of a seed depends on the seed and on i alone, so a set can be drawn in any order, in
parts, or again. Labels are tight upright boxes around the projected outline, clipped to the picture.
"""
import argparse
import math
import os

import cairo
import cv2
import numpy as np

from signs import CLASSES, DISTRACTORS, NAMES, any_colour, pick

cv2.setNumThreads(1)

SIDE = 640          # the longer side of a drawn scene
SMALLEST = 34       # the shorter side of the smallest labelled object, in scene pixels (17 in the model's input)
FINE = {"QR code": 44, "barcode": 40, "emergency exit": 40}   # what must stay legible needs more
VISIBLE = 0.65      # share of an object's box that must lie inside the picture
MOST_COVERED = 0.35  # share of an object that stickers, leaves or bars may cover


# ---------------------------------------------------------------- backgrounds

def noise(rng, w, h, cells, channels=1):
    """Smooth noise between 0 and 1, about `cells` blobs along the longer side."""
    k = max(w, h) / max(1.0, cells)
    small = rng.random((max(2, int(h / k) + 1), max(2, int(w / k) + 1), channels), dtype=np.float32)
    out = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    return out if channels > 1 else out.reshape(h, w, 1)


def fractal(rng, w, h, first=3, octaves=5, fall=0.6):
    out, gain, total = 0.0, 1.0, 0.0
    for i in range(octaves):
        out = out + gain * noise(rng, w, h, min(first * 2 ** i, max(w, h) / 2))
        total += gain
        gain *= fall
    return out / total


def colour(rng, low=20, high=235):
    return rng.uniform(low, high, 3).astype(np.float32)


def mix(a, b, t):
    return a * (1 - t) + b * t


def gradient(rng, w, h):
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    a = rng.uniform(0, 2 * math.pi)
    t = (x / w - 0.5) * math.cos(a) + (y / h - 0.5) * math.sin(a) + 0.5
    return mix(colour(rng), colour(rng), np.clip(t, 0, 1)[..., None])


def grey_colour(rng, low=40, high=220, spread=14):
    return (rng.uniform(low, high) + rng.normal(0, spread, 3)).astype(np.float32)


def bg_noise(rng, w, h):
    t = np.clip(fractal(rng, w, h, rng.uniform(2, 30), 5, rng.uniform(0.5, 0.95)) * 2.2 - 0.6, 0, 1)
    return mix(colour(rng), colour(rng), t)


def bg_street(rng, w, h):
    sky = mix(np.float32([235, 200, 150]) + rng.normal(0, 25, 3).astype(np.float32), grey_colour(rng, 150, 245),
              np.clip(fractal(rng, w, h, 3, 4) * 2 - 0.5, 0, 1))
    horizon = int(h * rng.uniform(0.35, 0.75))
    img = sky
    x = -int(rng.integers(0, 60))
    while x < w:
        bw, top = int(rng.integers(50, 220)), int(rng.integers(0, max(1, horizon)))
        if rng.random() < 0.75:
            buildings(rng, img, x, top, min(w, x + bw), horizon)
        else:
            x0, x1 = max(0, x), min(w, x + bw)
            if x1 > x0 + 4 and horizon > top + 4:
                img[top:horizon, x0:x1] = foliage(rng, x1 - x0, horizon - top)
        x += bw
    road = mix(grey_colour(rng, 60, 130, 6), grey_colour(rng, 60, 150, 6), fractal(rng, w, h - horizon, 20, 4, 0.9))
    img[horizon:] = road
    vx = w * rng.uniform(0.2, 0.8)
    for _ in range(int(rng.integers(1, 6))):
        bx, bw = rng.uniform(-w, 2 * w), rng.uniform(6, 60)
        pts = np.array([[vx, horizon], [bx, h], [bx + bw, h]], np.int32)
        cv2.fillPoly(img, [pts], tuple(float(v) for v in grey_colour(rng, 150, 250, 4)))
    if rng.random() < 0.25:
        y0 = rng.uniform(horizon + 5, h)
        for i in range(8):
            cv2.fillPoly(img, [np.array([[w * i / 8, y0], [w * (i + .5) / 8, y0], [w * (i + .5) / 8 - 20, y0 + 60], [w * i / 8 - 20, y0 + 60]], np.int32)], (225.0, 225.0, 225.0))
    return img


def buildings(rng, img, x0, y0, x1, y1):
    x0 = max(0, x0)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return
    wall = grey_colour(rng, 60, 225, 22)
    img[y0:y1, x0:x1] = wall + rng.normal(0, 4, (y1 - y0, x1 - x0, 1)).astype(np.float32)
    ww, wh = rng.integers(6, 40), rng.integers(8, 50)
    gx, gy = int(ww * rng.uniform(1.2, 2.2)), int(wh * rng.uniform(1.2, 2.2))
    glass, frame = grey_colour(rng, 20, 140, 15), wall + rng.uniform(-60, 60)
    for y in range(y0 + 4, y1 - wh, gy):
        for x in range(x0 + 4, x1 - ww, gx):
            g = glass + rng.normal(0, 18)
            cv2.rectangle(img, (x, y), (x + int(ww), y + int(wh)), tuple(float(v) for v in g), -1)
            cv2.rectangle(img, (x, y), (x + int(ww), y + int(wh)), tuple(float(v) for v in frame), 2)


def foliage(rng, w, h):
    base = np.float32([40, 90, 60]) + rng.normal(0, 22, 3).astype(np.float32)
    t = fractal(rng, w, h, rng.uniform(4, 12), 5, 0.9)
    return mix(base * 0.3, np.clip(base * 2.1, 0, 255), np.clip((t - 0.5) * 3.5 + 0.4, 0, 1))


def bg_foliage(rng, w, h):
    img = foliage(rng, w, h)
    for _ in range(int(rng.integers(0, 120))):
        c = (int(rng.integers(w)), int(rng.integers(h)))
        g = np.float32([50, 120, 80]) * rng.uniform(0.4, 1.9) + rng.normal(0, 15, 3)
        cv2.ellipse(img, c, (int(rng.integers(3, 30)), int(rng.integers(2, 12))), float(rng.uniform(0, 180)), 0, 360,
                    tuple(float(v) for v in g), -1, cv2.LINE_AA if False else 8)
    return img


def bg_brick(rng, w, h):
    bw, bh, gap = int(rng.integers(26, 110)), int(rng.integers(12, 46)), int(rng.integers(1, 6))
    img = np.empty((h, w, 3), np.float32)
    img[:] = grey_colour(rng, 90, 210, 8)
    base = pick(rng, [np.float32([60, 75, 150]), np.float32([110, 140, 170]), grey_colour(rng, 60, 200, 10), colour(rng)])
    shift = rng.uniform(0, 0.5)
    for j, y in enumerate(range(-bh, h, bh)):
        for x in range(-bw * 2 + int(bw * shift * (j % 2) * 2), w, bw):
            c = base + rng.normal(0, 14)
            cv2.rectangle(img, (x + gap, y + gap), (x + bw - gap, y + bh - gap), tuple(float(v) for v in c), -1)
    return img * (0.8 + 0.4 * fractal(rng, w, h, 30, 4, 0.9))


def bg_shelves(rng, w, h):
    img = np.empty((h, w, 3), np.float32)
    img[:] = grey_colour(rng, 20, 120)
    y = 0
    while y < h:
        rh, x = int(rng.integers(50, 190)), 0
        while x < w:
            bw = int(rng.integers(18, 130))
            top = y + int(rng.integers(4, max(5, rh // 2)))
            c = colour(rng)
            cv2.rectangle(img, (x, top), (x + bw - 2, y + rh - 8), tuple(float(v) for v in c), -1)
            for _ in range(int(rng.integers(0, 4))):
                ly = int(rng.integers(top, max(top + 1, y + rh - 8)))
                kind, d = int(rng.integers(3)), tuple(float(v) for v in colour(rng))
                if kind == 0:
                    cv2.rectangle(img, (x + 3, ly), (x + bw - 5, min(ly + int(rng.integers(4, 24)), y + rh - 9)), d, -1)
                elif kind == 1:
                    cv2.circle(img, (x + bw // 2, ly), int(rng.integers(4, 22)), d, -1 if rng.random() < .6 else 3)
                else:
                    cv2.putText(img, "".join(pick(rng, "ABCDEFGHKLMNRST018") for _ in range(4)), (x + 2, ly), 0,
                                float(rng.uniform(0.3, 0.9)), d, 1 + int(rng.integers(3)))
            x += bw
        cv2.rectangle(img, (0, y + rh - 8), (w, y + rh), tuple(float(v) for v in grey_colour(rng)), -1)
        y += rh
    return img


def bg_paper(rng, w, h):
    img = np.empty((h, w, 3), np.float32)
    img[:] = grey_colour(rng, 190, 250, 5)
    ink = grey_colour(rng, 10, 90, 10)
    y, lh = int(rng.integers(5, 40)), int(rng.integers(7, 26))
    while y < h:
        if rng.random() < 0.12:
            bh = int(rng.integers(30, 160))
            x = int(rng.integers(0, w))
            bw = int(rng.integers(40, 300))
            cv2.rectangle(img, (x, y), (x + bw, y + bh), tuple(float(v) for v in colour(rng)), -1 if rng.random() < .5 else 2)
            y += bh + 8
            continue
        if rng.random() < 0.3:
            cv2.putText(img, " ".join(pick(rng, ["Spotter", "total", "12,50", "Nr 7741", "PLEASE NOTE", "page", "A-17", "from", "the", "ticket"])
                                      for _ in range(12)), (10, y + lh), int(rng.integers(0, 5)), lh / 30.0,
                        tuple(float(v) for v in ink), 1 + (lh > 16))
        else:
            x = int(rng.integers(5, 60))
            while x < w - 20 and rng.random() > 0.03:
                ww = int(rng.integers(4, 50))
                cv2.rectangle(img, (x, y), (x + ww, y + lh // 2), tuple(float(v) for v in ink + rng.normal(0, 12)), -1)
                x += ww + lh // 3
        y += lh
    return img


def bg_leaves(rng, w, h):
    """Overlapping shapes whose sizes follow a power law, as edges in photographs do."""
    img = gradient(rng, w, h)
    muted = rng.random() < 0.6
    for i in range(int(rng.integers(60, 260))):
        r = min(220.0, 7.0 / max(0.02, rng.random()) ** 0.9)
        c = grey_colour(rng, 15, 240, 20) if muted else colour(rng, 0, 255)
        c = tuple(float(v) for v in c)
        x, y = int(rng.integers(-20, w + 20)), int(rng.integers(-20, h + 20))
        k = int(rng.integers(4))
        if k == 0:
            cv2.ellipse(img, (x, y), (int(r), int(r * rng.uniform(0.2, 1)) + 1), float(rng.uniform(0, 180)), 0, 360, c, -1)
        elif k == 1:
            cv2.fillPoly(img, [np.int32(cv2.boxPoints(((x, y), (2 * r, 2 * r * rng.uniform(0.1, 1)), float(rng.uniform(0, 90)))))], c)
        elif k == 2:
            cv2.fillPoly(img, [np.int32(np.array([x, y]) + rng.normal(0, r, (int(rng.integers(3, 6)), 2)))], c)
        else:
            cv2.circle(img, (x, y), int(r), c, max(1, int(r * rng.uniform(0.05, 0.4))))
    return img * (0.85 + 0.3 * fractal(rng, w, h, 20, 4, 0.9))


def bg_stripes(rng, w, h):
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    a, f = rng.uniform(0, math.pi), 2 * math.pi / rng.uniform(5, 110)
    t = np.sin((x * math.cos(a) + y * math.sin(a)) * f + rng.uniform(0, 6))
    if rng.random() < 0.5:
        t = np.sign(t) * (np.sign(np.sin((y * math.cos(a) - x * math.sin(a)) * f)) if rng.random() < 0.6 else 1)
    return mix(colour(rng), colour(rng), (t * 0.5 + 0.5)[..., None]) * (0.8 + 0.4 * fractal(rng, w, h, 8, 4))


def bg_wood(rng, w, h):
    k = rng.uniform(6, 30)
    t = noise(rng, w, h, 3) * k + cv2.resize(rng.random((h // 3 + 1, 3), dtype=np.float32), (w, h))[..., None] * 2
    t = np.sin(t * 3) * 0.5 + 0.5
    base = np.float32([60, 100, 150]) * rng.uniform(0.5, 1.5)
    return mix(base * 0.7, base * 1.15, t)


BACKGROUNDS = [bg_noise, bg_street, bg_street, bg_street, bg_foliage, bg_brick, bg_shelves, bg_shelves, bg_paper, bg_leaves,
               bg_leaves, bg_stripes, bg_wood, gradient]


def background(rng, w, h):
    img = pick(rng, BACKGROUNDS)(rng, w, h)
    if rng.random() < 0.35:      # a second material behind or beside the first
        other = pick(rng, BACKGROUNDS)(rng, w, h)
        if rng.random() < 0.5:
            x = int(rng.integers(w // 5, 4 * w // 5))
            img[:, x:] = other[:, x:]
        else:
            img = mix(img, other, rng.uniform(0.2, 0.6))
    for _ in range(int(rng.integers(0, 7))):
        a, b = (rng.uniform(-50, 700, 2), rng.uniform(-50, 700, 2))
        if rng.random() < 0.5:
            b = a + np.array([rng.normal(0, 25), 600 * (1 if rng.random() < 0.5 else -1)])
        cv2.line(img, tuple(int(v) for v in a), tuple(int(v) for v in b), tuple(float(v) for v in colour(rng, 10, 245)),
                 int(rng.integers(1, 16)), cv2.LINE_8)
    if rng.random() < 0.5:
        img = cv2.GaussianBlur(img, (0, 0), rng.uniform(0.6, 4))
    return np.ascontiguousarray(np.clip(img, 0, 255), np.float32)


# ---------------------------------------------------------------- objects

def sprite(rng, draw, size):
    """Draws a thing on a transparent square; returns BGRA (premultiplied) and its outline in pixels."""
    n = int(np.clip(size * 1.15, 40, 640))
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, n, n)
    ctx = cairo.Context(surface)
    ctx.set_antialias(cairo.ANTIALIAS_GOOD)
    ctx.translate(n / 2, n / 2)
    ctx.scale(n / 2.2, n / 2.2)
    outline = np.asarray(draw(ctx, rng), float)
    surface.flush()
    bgra = np.ndarray((n, n, 4), np.uint8, surface.get_data()).astype(np.float32)
    return bgra, outline * (n / 2.2) + n / 2


def pose(rng, kind):
    """A rotation in space, by what people do with such a thing; angles in radians."""
    if kind == "QR code":
        roll = rng.normal(0, 0.12) if rng.random() < 0.55 else rng.uniform(-math.pi, math.pi)
    elif kind == "barcode":
        roll = rng.normal(0, 0.15) + (pick(rng, [0, 0, 0, 1, -1]) * math.pi / 2 if rng.random() < 0.8 else rng.normal(0, 0.4))
    else:
        roll = rng.normal(0, 0.07)
    yaw, pitch = np.clip(rng.normal(0, 0.35, 2), -0.85, 0.85)
    return roll, yaw, pitch * 0.6


def projection(rng, n, size, centre, angles):
    """The homography from a sprite of n pixels to the scene."""
    roll, yaw, pitch = angles
    cr, sr, cy, sy, cp, sp = math.cos(roll), math.sin(roll), math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    r = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ \
        np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    far = rng.uniform(2.2, 7.0)
    scale = size / 2.0
    to_unit = np.array([[2.2 / n, 0, -1.1], [0, 2.2 / n, -1.1], [0, 0, 1.0]])
    plane = np.array([[scale * far * r[0, 0], scale * far * r[0, 1], 0],
                      [scale * far * r[1, 0], scale * far * r[1, 1], 0],
                      [r[2, 0], r[2, 1], far]])
    shift = np.array([[1, 0, centre[0]], [0, 1, centre[1]], [0, 0, 1.0]])
    return shift @ plane @ to_unit


def project(m, points):
    p = np.c_[points, np.ones(len(points))] @ m.T
    return p[:, :2] / p[:, 2:]


def weather(rng, bgra):
    """Fades, dirties and scratches a sprite; its transparency stays."""
    a = bgra[..., 3:] / 255.0
    rgb, n = bgra[..., :3], bgra.shape[0]
    if rng.random() < 0.35:
        rgb = mix(rgb, a * rng.uniform(120, 215), rng.uniform(0.05, 0.38))
    if rng.random() < 0.35:
        t = np.clip((fractal(rng, n, n, rng.uniform(3, 10), 3, 0.8) - rng.uniform(0.5, 0.65)) * 4, 0, rng.uniform(0.2, 0.75))
        rgb = mix(rgb, a * np.float32([45, 60, 75]) * rng.uniform(0.5, 1.8), t)
    light = 1.0 + rng.uniform(-0.28, 0.28) * np.linspace(-1, 1, n, dtype=np.float32)
    rgb = rgb * (light[None, :, None] if rng.random() < 0.5 else light[:, None, None])
    bgra[..., :3] = np.minimum(rgb, 255 * a)
    return bgra


def cover(rng, img, outline, name):
    """Stickers, leaves, bars over a part of an object; at most MOST_COVERED of its outline's area."""
    lo, hi = outline.min(0), outline.max(0)
    w, h = hi - lo
    budget = MOST_COVERED * rng.uniform(0.3, 1.0) * w * h
    for _ in range(int(rng.integers(1, 4))):
        kind, c = int(rng.integers(3)), tuple(float(v) for v in colour(rng, 10, 240))
        x, y = rng.uniform(lo[0], hi[0]), rng.uniform(lo[1], hi[1])
        if kind == 0:
            s = rng.uniform(0.08, 0.22) * min(w, h)
            budget -= 4 * s * s
            if budget < 0:
                return
            cv2.fillPoly(img, [np.int32(cv2.boxPoints(((x, y), (2 * s, 2 * s * rng.uniform(0.5, 1)), float(rng.uniform(0, 90)))))], c)
        elif kind == 1:
            g = np.float32([40, 110, 70]) * rng.uniform(0.5, 1.6)
            for _ in range(int(rng.integers(2, 8))):
                r = rng.uniform(0.04, 0.14) * min(w, h)
                budget -= 3 * r * r
                if budget < 0:
                    return
                q = (int(x + rng.normal(0, w * 0.1)), int(y + rng.normal(0, h * 0.1)))
                cv2.ellipse(img, q, (int(r) + 1, int(r * 0.5) + 1), float(rng.uniform(0, 180)), 0, 360, tuple(float(v) for v in g + rng.normal(0, 12)), -1)
        else:
            t = max(1, int(rng.uniform(0.03, 0.10) * min(w, h)))
            budget -= t * max(w, h)
            if budget < 0:
                return
            a = rng.uniform(0, math.pi)
            d = np.array([math.cos(a), math.sin(a)]) * (w + h)
            cv2.line(img, tuple(int(v) for v in (x, y) - d), tuple(int(v) for v in (x, y) + d), c, t)


def place(rng, img, boxes, name, draw, size, near_min=0):
    """Puts one thing into the scene where it overlaps none of the boxes; returns its outline or None."""
    h, w = img.shape[:2]
    bgra, outline = sprite(rng, draw, size)
    n = bgra.shape[0]
    angles = pose(rng, name)
    for _ in range(8):
        centre = rng.uniform([0, 0], [w, h])
        if size > 0.45 * min(w, h):
            centre = mix(centre, np.array([w / 2, h / 2]), rng.uniform(0.5, 1.0))
        m = projection(rng, n, size, centre, angles)
        pts = project(m, outline)
        lo, hi = pts.min(0), pts.max(0)
        full = np.prod(hi - lo)
        clo, chi = np.maximum(lo, 0), np.minimum(hi, [w, h])
        if (chi <= clo).any() or np.prod(chi - clo) < VISIBLE * full:
            continue
        if name is not None and min(chi - clo) < max(SMALLEST, FINE.get(name, 0)):
            size *= 1.25
            continue
        grow = 2 + 0.06 * (hi - lo)
        if any((np.minimum(hi + grow, b[1]) > np.maximum(lo - grow, b[0])).all() for b in boxes):
            continue
        break
    else:
        return None
    bgra = weather(rng, bgra)
    if name is not None and name not in ("QR code", "barcode", "emergency exit") and rng.random() < 0.45:
        x, t = float(pts[:, 0].mean()), max(1, int(size * rng.uniform(0.03, 0.09)))
        y0 = int(pts[:, 1].mean())
        cv2.line(img, (int(x), y0), (int(x + rng.normal(0, 6)), y0 + 1000), tuple(float(v) for v in grey_colour(rng, 50, 200, 6)), t)
    corners = project(m, np.array([[0, 0], [n, 0], [n, n], [0, n]], float))
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, [w, h])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    local = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1.0]]) @ m
    # Pixel centres: outlines are in edge coordinates, warpPerspective in centre coordinates.
    half, back = np.array([[1, 0, .5], [0, 1, .5], [0, 0, 1.0]]), np.array([[1, 0, -.5], [0, 1, -.5], [0, 0, 1.0]])
    warped = cv2.warpPerspective(bgra, back @ local @ half, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    part = img[y0:y1, x0:x1]
    part *= 1 - warped[..., 3:] / 255.0
    part += warped[..., :3] * shade_of(rng)
    boxes.append((lo, hi))
    return pts


def shade_of(rng):
    return np.float32(rng.uniform(0.55, 1.08))


# ---------------------------------------------------------------- the camera

def light(rng, img):
    h, w = img.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    if rng.random() < 0.5:
        a, g = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.5)
        img *= (1 + g * ((x / w - 0.5) * math.cos(a) + (y / h - 0.5) * math.sin(a)))[..., None]
    if rng.random() < 0.3:
        mask = np.zeros((h, w), np.float32)
        for _ in range(int(rng.integers(1, 4))):
            pts = rng.uniform([-0.2 * w, -0.2 * h], [1.2 * w, 1.2 * h], (int(rng.integers(3, 6)), 2))
            cv2.fillPoly(mask, [np.int32(pts)], 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 12))
        img *= (1 - rng.uniform(0.2, 0.55) * mask)[..., None]
    if rng.random() < 0.08:
        g = np.exp(-(((x - rng.uniform(0, w)) ** 2 + (y - rng.uniform(0, h)) ** 2) / (2 * (rng.uniform(0.1, 0.35) * w) ** 2)))
        img += (rng.uniform(30, 110) * g)[..., None]
    return img


def camera(rng, img, small):
    """Exposure, white balance, blur, noise. `small` is the shortest labelled side: it bounds the blur."""
    h, w = img.shape[:2]
    img = light(rng, img)
    img *= (1 + rng.normal(0, 0.06, 3)).astype(np.float32) * np.float32(np.exp(rng.normal(-0.05, 0.24)))
    if rng.random() < 0.3:
        k = rng.uniform(0.55, 1.0)
        img = img * k + rng.uniform(10, 150) * (1 - k)
    if rng.random() < 0.2:
        grey = img.mean(2, keepdims=True)
        img = mix(img, grey, rng.uniform(0.2, 0.7))
    most = min(4.0, 0.6 + small / 40.0)
    u = rng.random()
    if u < 0.3:
        img = cv2.GaussianBlur(img, (0, 0), rng.uniform(0.4, most))
    elif u < 0.45:
        n = int(np.clip(rng.uniform(2, most * 3.2), 3, 13)) | 1
        k = np.zeros((n, n), np.float32)
        a = rng.uniform(0, math.pi)
        d = np.array([math.cos(a), math.sin(a)]) * (n // 2)
        c = np.array([n // 2, n // 2])
        cv2.line(k, tuple(int(round(v)) for v in c - d), tuple(int(round(v)) for v in c + d), 1.0)
        img = cv2.filter2D(img, -1, k / k.sum())
    if rng.random() < 0.7:
        s = rng.uniform(1, 5) if rng.random() < 0.7 else rng.uniform(5, 16)
        if rng.random() < 0.5:
            img += (rng.standard_normal((h, w, 1), dtype=np.float32) * s)
        else:
            half = rng.standard_normal((h // 2, w // 2, 3), dtype=np.float32) * s
            img += cv2.resize(half, (w, h), interpolation=cv2.INTER_NEAREST)
    return np.clip(img, 0, 255).astype(np.uint8)


def draw_scene(seed, index, side=SIDE, behind=background, empty=0.07):
    """Scene `index` of `seed`: (BGR picture, labels [n,5] class x0 y0 x1 y1 in pixels, JPEG quality).

    `behind` draws the background; `empty` is the share of scenes without a labelled object."""
    rng = np.random.default_rng([seed, index])
    shape = pick(rng, [(1, 1), (1, 1), (1, 1), (1, 0.75), (1, 0.75), (0.75, 1), (1, 0.5625)])
    w, h = int(side * shape[0]), int(side * shape[1])
    img = behind(rng, w, h)
    boxes, labels = [], []
    objects = 0 if rng.random() < empty else 1 + int(min(8, rng.geometric(0.27)))
    big = rng.random() < 0.30
    todo = [True] * objects + [False] * int(rng.integers(0, 7))
    order = rng.permutation(len(todo))
    for i, k in enumerate(order):
        if big and i == 0:
            size = rng.uniform(0.4, 0.95) * min(w, h)
        else:
            size = math.exp(rng.uniform(math.log(40), math.log(230)))
        if todo[k]:
            c = int(rng.integers(len(CLASSES)))
            name, draw = CLASSES[c]
            size = max(size, {"traffic light": 66, "barcode": 85, "emergency exit": 60}.get(name, 0))
            pts = place(rng, img, boxes, name, draw, size)
            if pts is not None:
                labels.append((c, pts))
        else:
            # A look-alike is larger, so that what tells it apart can be seen.
            place(rng, img, boxes, None, pick(rng, DISTRACTORS), max(size, 70))
    small = min([min(p.max(0) - p.min(0)) for _, p in labels], default=200)
    for c, pts in labels:
        if rng.random() < 0.22 and min(pts.max(0) - pts.min(0)) > 50:
            cover(rng, img, pts, NAMES[c])
    img = camera(rng, img, small)
    rows = []
    for c, pts in labels:
        lo, hi = np.maximum(pts.min(0), 0), np.minimum(pts.max(0), [w, h])
        rows.append((c, *lo, *hi))
    return img, np.array(rows, np.float32).reshape(-1, 5), int(rng.integers(35, 96))


def main():
    p = argparse.ArgumentParser(description="Draws labelled scenes as JPEG files with YOLO labels.")
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--seed", type=int, default=2, help="1 is the training seed")
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--out", required=True)
    p.add_argument("--quality", type=int, default=0, help="one JPEG quality for all, instead of 35 to 95 by scene")
    p.add_argument("--side", type=int, default=SIDE, help="the longer side in the files; scenes are drawn at 640 and shrunk")
    a = p.parse_args()
    os.makedirs(f"{a.out}/images", exist_ok=True)
    os.makedirs(f"{a.out}/labels", exist_ok=True)
    with open(f"{a.out}/names.txt", "w") as f:
        f.write("\n".join(NAMES) + "\n")
    for i in range(a.first, a.first + a.count):
        img, labels, quality = draw_scene(a.seed, i)
        h, w = img.shape[:2]
        if a.side != SIDE:
            img = cv2.resize(img, (w * a.side // SIDE, h * a.side // SIDE), interpolation=cv2.INTER_AREA)
        cv2.imwrite(f"{a.out}/images/{i:05d}.jpg", img, [cv2.IMWRITE_JPEG_QUALITY, a.quality or quality])
        with open(f"{a.out}/labels/{i:05d}.txt", "w") as f:
            for c, x0, y0, x1, y1 in labels:
                f.write(f"{int(c)} {(x0 + x1) / 2 / w:.6f} {(y0 + y1) / 2 / h:.6f} {(x1 - x0) / w:.6f} {(y1 - y0) / h:.6f}\n")


if __name__ == "__main__":
    main()
