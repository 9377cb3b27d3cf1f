"""COCO-style average precision of a model on packed scenes, for use while training."""
import numpy as np
import torch

from net import boxes_of, cells


def iou_matrix(a, b):
    lo = np.maximum(a[:, None, :2], b[None, :, :2])
    hi = np.minimum(a[:, None, 2:], b[None, :, 2:])
    wh = np.clip(hi - lo, 0, None)
    inter = wh[..., 0] * wh[..., 1]
    area = lambda r: (r[:, 2] - r[:, 0]) * (r[:, 3] - r[:, 1])
    return inter / np.maximum(area(a)[:, None] + area(b)[None] - inter, 1e-9)


def suppress(boxes, scores, classes, limit=0.65, keep_most=300):
    """Greedy per-class non-maximum suppression; indices by falling score."""
    order = np.argsort(-scores, kind="stable")[:2000]
    shifted = boxes + classes[:, None] * 4096.0
    kept = []
    while len(order) and len(kept) < keep_most:
        kept.append(order[0])
        rest = order[1:]
        order = rest[iou_matrix(shifted[order[:1]], shifted[rest])[0] <= limit]
    return np.array(kept, int)


@torch.no_grad()
def predict(net, images, batch=10):
    """uint8 BGR [n,S,S,3] to a list of rows (x0, y0, x1, y1, score, class)."""
    net.eval()
    size = images.shape[1]
    points, strides = cells(size, size)
    out = []
    for i in range(0, len(images), batch):
        x = torch.from_numpy(np.ascontiguousarray(images[i:i + batch, :, :, ::-1])).permute(0, 3, 1, 2)
        box, cls = net(x.contiguous(memory_format=torch.channels_last).float() / 255)
        boxes, scores = boxes_of(box, points, strides).numpy(), cls.sigmoid().numpy()
        for b, s in zip(boxes, scores):
            cell, kind = np.nonzero(s > 0.001)
            rows = suppress(b[cell], s[cell, kind], kind)
            out.append(np.c_[b[cell[rows]], s[cell[rows], kind[rows]], kind[rows]])
    return out


def average_precision(found, truth, classes):
    """found: rows per picture; truth: rows (picture, class, x0, y0, x1, y1). AP [classes, 10 thresholds]."""
    thresholds = np.arange(0.5, 0.96, 0.05)
    ap = np.full((classes, 10), np.nan)
    for c in range(classes):
        want = truth[truth[:, 1] == c]
        if not len(want):
            continue
        scores, hits = [], []
        for i, rows in enumerate(found):
            mine = rows[rows[:, 5] == c]
            boxes = want[want[:, 0] == i, 2:]
            hit = np.zeros((len(mine), 10), bool)
            if len(mine) and len(boxes):
                iou = iou_matrix(mine[:, :4], boxes)
                for t, limit in enumerate(thresholds):
                    free = np.ones(len(boxes), bool)
                    for r in range(len(mine)):
                        v = np.where(free, iou[r], -1)
                        k = v.argmax()
                        if v[k] >= limit:
                            free[k], hit[r, t] = False, True
            scores.append(mine[:, 4])
            hits.append(hit)
        order = np.argsort(-np.concatenate(scores), kind="stable")
        hits = np.concatenate(hits)[order]
        tp, fp = hits.cumsum(0), (~hits).cumsum(0)
        for t in range(10):
            recall, precision = tp[:, t] / len(want), tp[:, t] / np.maximum(tp[:, t] + fp[:, t], 1)
            precision = np.maximum.accumulate(precision[::-1])[::-1] if len(precision) else precision
            at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
            ap[c, t] = np.mean([precision[k] if k < len(precision) else 0.0 for k in at])
    return ap


def load_shards(folder, count=None):
    import glob
    images, rows, base = [], [], 0
    for f in sorted(glob.glob(f"{folder}/[0-9][0-9][0-9][0-9].npy")):
        part = np.load(f, mmap_mode="r")
        r = np.load(f.replace(".npy", ".labels.npy")).copy()
        r[:, 0] += base
        images.append(part)
        rows.append(r)
        base += len(part)
        if count and base >= count:
            break
    images, rows = np.concatenate(images), np.concatenate(rows)
    if count:
        images, rows = images[:count], rows[rows[:, 0] < count]
    return images, rows
