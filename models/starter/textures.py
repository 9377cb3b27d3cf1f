"""Backgrounds with the statistics of photographs: soft shading, fur, cloth, grass, gravel, machines.

Scenes over these hold few objects. They teach the detector to stay silent on ordinary pictures.
"""
import math

import cv2
import numpy as np

import scenes
from signs import pick


def spectrum(rng, w, h, fall=None, channels=3):
    """Noise whose amplitude falls with frequency as in photographs, about 0 to 1."""
    fall = rng.uniform(0.7, 1.8) if fall is None else fall
    out, total = 0.0, 0.0
    stretch = math.exp(rng.normal(0, 0.5))
    for i in range(8):
        cells = 2 ** i * 1.7
        gain = 2.0 ** (-fall * i * 0.7)
        cw, ch = max(2, int(cells * stretch) + 1), max(2, int(cells * h / w / stretch) + 1)
        out = out + gain * cv2.resize(rng.random((min(ch, h), min(cw, w), channels), dtype=np.float32), (w, h), interpolation=cv2.INTER_CUBIC).reshape(h, w, channels)
        total += gain
    out = out / total
    return np.clip((out - out.mean()) / (out.std() + 1e-4) * rng.uniform(0.12, 0.28) + rng.uniform(0.3, 0.7), 0, 1)


def shades(rng, t):
    """A grey map in a palette of neighbouring colours."""
    a = scenes.grey_colour(rng, 5, 110, 18)
    b = scenes.grey_colour(rng, 120, 250, 22)
    return scenes.mix(a, b, t)


def cloud(rng, w, h):
    t = spectrum(rng, w, h, None, 1)
    return shades(rng, t) + 40 * (spectrum(rng, w, h, 1.5, 3) - 0.5)


def warp(rng, img, strength):
    h, w = img.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    cells = rng.uniform(2, 9)
    dx, dy = (scenes.noise(rng, w, h, cells)[..., 0] - 0.5 for _ in range(2))
    return cv2.remap(img, x + dx * strength, y + dy * strength, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def bent(rng, w, h):
    """A drawn background bent out of shape: folds, reflections, curved walls."""
    img = np.float32(pick(rng, scenes.BACKGROUNDS)(rng, w, h))
    return warp(rng, img, rng.uniform(40, 420))


def cloth(rng, w, h):
    t = scenes.fractal(rng, w, h, rng.uniform(1, 4), 3, 0.5)
    folds = np.sin(t * rng.uniform(8, 40)) * 0.5 + 0.5
    img = shades(rng, folds)
    if rng.random() < 0.5:
        img *= 0.7 + 0.6 * warp(rng, np.float32(scenes.bg_stripes(rng, w, h)), 60) / 255
    return img


def fur(rng, w, h):
    """Noise drawn out along a bending direction: hair, grass, bark."""
    n = rng.random((h, w), dtype=np.float32)
    k = int(rng.integers(9, 31)) | 1
    kernel = np.zeros((k, k), np.float32)
    a = rng.uniform(0, math.pi)
    d = np.array([math.cos(a), math.sin(a)]) * (k // 2)
    cv2.line(kernel, tuple(int(v) for v in k // 2 - d), tuple(int(v) for v in k // 2 + d), 1.0)
    t = cv2.filter2D(n, -1, kernel / kernel.sum())
    t = np.clip((t - 0.5) * rng.uniform(2.5, 6) + scenes.fractal(rng, w, h, 3, 3)[..., 0], 0, 1)
    return warp(rng, shades(rng, t[..., None]), rng.uniform(0, 200))


def gravel(rng, w, h):
    """Cells of many sizes: stones, leaves, food, crowds."""
    img = cloud(rng, w, h)
    size, palette = math.exp(rng.uniform(1.3, 3.6)), [scenes.grey_colour(rng, 20, 240, 25) for _ in range(5)]
    for _ in range(int(min(900, 0.7 * w * h / size ** 2 / 3))):
        c = pick(rng, palette) + rng.normal(0, 15)
        p = (int(rng.integers(w)), int(rng.integers(h)))
        axes = (max(1, int(size * rng.uniform(0.5, 1.4))), max(1, int(size * rng.uniform(0.3, 1.0))))
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(img, (p[0] + 1, p[1] + 2), axes, angle, 0, 360, tuple(float(v) * 0.4 for v in c), -1)
        cv2.ellipse(img, p, axes, angle, 0, 360, tuple(float(v) for v in c), -1)
        if rng.random() < 0.5:
            cv2.ellipse(img, (p[0] - axes[1] // 3, p[1] - axes[1] // 3), (max(1, axes[0] // 3), max(1, axes[1] // 3)), angle, 0, 360, tuple(float(min(255, v * 1.3)) for v in c), -1)
    return img


def solid(rng, img, mask_points, soft):
    """One shaded, textured body over the picture: an animal, a bag, a wheel arch."""
    h, w = img.shape[:2]
    mask = np.zeros((h, w), np.float32)
    cv2.fillPoly(mask, [np.int32(mask_points)], 1.0)
    if soft > 0.4:
        mask = cv2.GaussianBlur(mask, (0, 0), soft)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    a = rng.uniform(0, 2 * math.pi)
    lo, hi = mask_points.min(0), mask_points.max(0)
    t = ((x - lo[0]) / (hi[0] - lo[0] + 1) - 0.5) * math.cos(a) + ((y - lo[1]) / (hi[1] - lo[1] + 1) - 0.5) * math.sin(a)
    shade = np.clip(1 + rng.uniform(0.2, 0.9) * t, 0.2, 1.6)[..., None]
    body = pick(rng, [cloud, cloud, fur, cloth, gravel])(rng, w // 2, h // 2) if rng.random() < 0.6 else None
    body = cv2.resize(body, (w, h)) if body is not None else scenes.grey_colour(rng, 10, 245, 30) + np.zeros((h, w, 3), np.float32)
    return scenes.mix(img, body * shade, mask[..., None])


def outline(rng, w, h):
    n = int(rng.integers(4, 12))
    r = rng.uniform(20, 260)
    a = np.sort(rng.uniform(0, 2 * math.pi, n))
    p = np.stack([np.cos(a), np.sin(a) * rng.uniform(0.4, 1.4)], 1) * (r * rng.uniform(0.5, 1.2, (n, 1))) + rng.uniform([0, 0], [w, h])
    if rng.random() < 0.6:      # round it
        t = np.linspace(0, n, 60, endpoint=False)
        i, f = t.astype(int) % n, (t % 1)[:, None]
        f = f * f * (3 - 2 * f)
        p = p[i] * (1 - f) + p[(i + 1) % n] * f
    return p


def machine(rng, img):
    """Panels, lamps, wheels, grilles, handles with highlights: vehicles, kitchens, tools."""
    h, w = img.shape[:2]
    for _ in range(int(rng.integers(3, 16))):
        x, y = int(rng.integers(w)), int(rng.integers(h))
        s = int(math.exp(rng.uniform(2.2, 4.8)))
        c = tuple(float(v) for v in scenes.grey_colour(rng, 10, 245, 20))
        d = tuple(float(v) for v in scenes.grey_colour(rng, 5, 245, 12))
        k = int(rng.integers(8))
        if k == 0:
            cv2.circle(img, (x, y), s, (18.0, 18.0, 20.0), -1)
            cv2.circle(img, (x, y), int(s * 0.62), c, -1)
            for i in range(int(rng.integers(5, 12))):
                a = i * 0.9
                cv2.line(img, (x, y), (int(x + s * 0.6 * math.cos(a)), int(y + s * 0.6 * math.sin(a))), d, max(1, s // 12))
        elif k == 1:
            cv2.ellipse(img, (x, y), (s, max(2, s // 2)), float(rng.uniform(-30, 30)), 0, 360, d, -1)
            cv2.ellipse(img, (x, y), (max(1, s * 2 // 3), max(1, s // 3)), float(rng.uniform(-30, 30)), 0, 360, c, -1)
            cv2.circle(img, (x - s // 4, y - s // 6), max(1, s // 8), (250.0, 250.0, 250.0), -1)
        elif k == 2:
            n = int(rng.integers(3, 12))
            for i in range(n):
                cv2.line(img, (x, y + i * s // n), (x + int(s * rng.uniform(1, 1.1)), y + i * s // n), c if i % 2 else d, max(1, s // n // 2))
        elif k == 3:
            cv2.rectangle(img, (x, y), (x + s, y + int(s * rng.uniform(0.3, 1.3))), c, -1)
            cv2.rectangle(img, (x, y), (x + s, y + int(s * rng.uniform(0.3, 1.3))), d, max(1, s // 20))
        elif k == 4:
            for _ in range(int(rng.integers(4, 22))):
                q = rng.normal(0, s * 0.5, 2)
                g = rng.uniform(0, 255)
                cv2.rectangle(img, (int(x + q[0]), int(y + q[1])), (int(x + q[0] + rng.uniform(2, s * 0.4)), int(y + q[1] + rng.uniform(2, s * 0.3))), (float(g), float(g), float(min(255, g * 1.1))), -1)
        elif k == 5:
            # Open frames: bicycles, hangers, tripods, hoops. Through a sign nothing can be seen.
            n = int(pick(rng, [3, 3, 4, 6, 24]))
            a = rng.uniform(0, 2 * math.pi)
            r = s * rng.uniform(0.6, 1.6) * np.array([1, rng.uniform(0.6, 1.1)])
            p = [x, y] + r * np.array([[math.cos(a + i * 2 * math.pi / n), math.sin(a + i * 2 * math.pi / n)] for i in range(n)]) + rng.normal(0, 0.12 * s if n < 24 else 0, (n, 2))
            rgb = (30.0, 20.0, float(rng.uniform(120, 230))) if rng.random() < 0.5 else c
            cv2.polylines(img, [np.int32(p)], True, rgb, max(1, int(s * rng.uniform(0.05, 0.22))), cv2.LINE_AA)
        elif k == 6:
            # Glass: a bright or dark pane with a slanting reflection and things behind.
            q = np.array([[x, y], [x + s, y + rng.normal(0, s * 0.1)], [x + s * 1.1, y + s * rng.uniform(0.4, 1.3)], [x + rng.normal(0, s * 0.1), y + s * rng.uniform(0.4, 1.3)]])
            cv2.fillPoly(img, [np.int32(q)], c)
            for _ in range(int(rng.integers(3, 14))):
                u, v = q[0] + (q[2] - q[0]) * rng.random(2), q[0] + (q[2] - q[0]) * rng.random(2)
                cv2.line(img, tuple(int(t) for t in u), tuple(int(t) for t in v), tuple(float(t) for t in scenes.grey_colour(rng, 10, 250, 8)), max(1, int(s * rng.uniform(0.02, 0.15))))
            cv2.polylines(img, [np.int32(q)], True, d, max(1, s // 14))
        else:
            cv2.putText(img, "".join(pick(rng, "ABCDEHKLMNORSTU0123456789-") for _ in range(int(rng.integers(2, 9)))), (x, y), int(rng.integers(0, 5)), max(0.3, s / 45), d, max(1, s // 16), cv2.LINE_AA)
    return img


def background(rng, w, h):
    img = np.float32(pick(rng, [cloud, cloud, bent, bent, cloth, fur, gravel, scenes.bg_street, scenes.bg_foliage])(rng, w, h))
    for _ in range(int(rng.integers(0, 5))):
        img = solid(rng, img, outline(rng, w, h), rng.uniform(0, 4))
    if rng.random() < 0.6:
        layer = machine(rng, np.ascontiguousarray(img, np.float32).copy())
        layer = warp(rng, layer, rng.uniform(0, 60)) if rng.random() < 0.5 else layer
        img = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 2.0))
    if rng.random() < 0.3:
        grey = img.mean(2, keepdims=True)
        img = scenes.mix(img, grey, rng.uniform(0.4, 1.0))
    return np.ascontiguousarray(np.clip(img, 0, 255), np.float32)


def imagined(rng, w, h):
    """What an untrained generator net paints: noise, enlarged and convolved at every scale with random
    weights. Edges, blobs and textures meet in it at all sizes, as in photographs."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(int(rng.integers(2 ** 31)))
    n = int(pick(rng, [12, 16, 24]))
    x = torch.randn(1, n, 4, 4, generator=g)
    levels, grain = int(rng.integers(5, 8)), float(rng.uniform(0.05, 0.7))
    for level in range(levels):
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear" if rng.random() < 0.7 else "nearest")
        x = x + grain * float(rng.uniform(0.3, 1.5)) * torch.randn(1, 1, *x.shape[2:], generator=g)
        k = 3 if level > 2 or rng.random() < 0.7 else 5
        y = F.conv2d(x, torch.randn(n, n, k, k, generator=g) / (n * k * k) ** 0.5 * 1.5, torch.randn(n, generator=g) * 0.2, padding=k // 2)
        y = F.leaky_relu(y, 0.1 if rng.random() < 0.8 else -0.6)
        x = 0.6 * x + y if rng.random() < 0.5 else y
        x = (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 0.1)
    grey = rng.random() < 0.7
    rgb = F.conv2d(x, torch.randn(3, n, 1, 1, generator=g) / n ** 0.5)[0].permute(1, 2, 0).numpy()
    if grey:      # photographs hold more light and shade than colour
        rgb = rgb * rng.uniform(0.1, 0.6) + F.conv2d(x, torch.randn(1, n, 1, 1, generator=g) / n ** 0.5)[0].permute(1, 2, 0).numpy()
    rgb = 1 / (1 + np.exp(-rgb * rng.uniform(0.7, 2.5) + rng.normal(0, 0.6)))
    img = cv2.resize(np.float32(rgb), (max(w, h), max(w, h)), interpolation=cv2.INTER_CUBIC)[:h, :w] * 255
    for _ in range(int(rng.integers(0, 3))):
        img = solid(rng, img, outline(rng, w, h), rng.uniform(0, 3))
    if rng.random() < 0.3:
        img = machine(rng, np.ascontiguousarray(img, np.float32))
    return np.ascontiguousarray(np.clip(img, 0, 255), np.float32)
