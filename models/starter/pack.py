"""Draws training scenes into shards: what the model will see (letterboxed to its input), as bytes.

A shard of 500 scenes is `NNNN.npy` (uint8 [500,S,S,3], BGR) beside `NNNN.labels.npy` (float32
[n,6]: scene, class, x0, y0, x1, y1 in input pixels). Finished shards are kept, so it can go on
where it stopped.
"""
import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

import textures
from scenes import draw_scene

SHARD = 500
GREY = 114


# Backgrounds, and the share of scenes without an object, if not the usual ones.
KINDS = {"plain": {}, "textured": {"behind": textures.background, "empty": 0.5},
         "imagined": {"behind": textures.imagined, "empty": 0.6}}


def letterbox(img, size):
    """Centred, aspect kept, grey 114 around; returns the picture, the scale and the offsets."""
    h, w = img.shape[:2]
    k = min(size / w, size / h)
    nw, nh = round(w * k), round(h * k)
    x, y = (size - nw) // 2, (size - nh) // 2
    out = np.full((size, size, 3), GREY, np.uint8)
    out[y:y + nh, x:x + nw] = cv2.resize(img, (nw, nh), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    return out, k, x, y


def draw_shard(folder, seed, shard, size, kind):
    name = f"{folder}/{shard:04d}"
    if os.path.exists(name + ".npy"):
        return shard
    images, rows = np.empty((SHARD, size, size, 3), np.uint8), []
    for i in range(SHARD):
        img, labels, quality = draw_scene(seed, shard * SHARD + i, **KINDS[kind])
        img = cv2.imdecode(cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        images[i], k, x, y = letterbox(img, size)
        if len(labels):
            boxes = labels[:, 1:] * k + [x, y, x, y]
            rows.append(np.c_[np.full(len(labels), i), labels[:, 0], boxes])
    np.save(name + ".labels.npy", np.concatenate(rows).astype(np.float32))
    np.save(name + ".part.npy", images)
    os.rename(name + ".part.npy", name + ".npy")
    return shard


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", required=True)
    p.add_argument("--count", type=int, default=14000)
    p.add_argument("--textures", type=int, default=0, help="scenes over photograph-like textures, numbered after the others")
    p.add_argument("--imagined", type=int, default=0, help="scenes over what untrained nets paint, numbered last")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", type=int, default=320)
    p.add_argument("--workers", type=int, default=2)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    with ProcessPoolExecutor(a.workers) as pool:
        kinds = [k for k, n in (("plain", a.count), ("textured", a.textures), ("imagined", a.imagined)) for _ in range(-(-n // SHARD))]
        jobs = [pool.submit(draw_shard, a.out, a.seed, s, a.size, k) for s, k in enumerate(kinds)]
        for j in jobs:
            print("shard", j.result(), flush=True)


if __name__ == "__main__":
    main()
