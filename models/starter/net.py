"""The detector: a small convolutional backbone, a two-way feature pyramid, three anchor-free heads.

The heads follow the YOLOv8 layout: per cell four side distances as distributions over REG bins, and
one logit per class; strides 8, 16 and 32.
"""
import torch
from torch import nn
import torch.nn.functional as F

STRIDES = (8, 16, 32)
REG = 10


class Conv(nn.Sequential):
    def __init__(self, cin, cout, k=3, s=1):
        super().__init__(nn.Conv2d(cin, cout, k, s, k // 2, bias=False), nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03), nn.ReLU(True))


class Block(nn.Module):
    """Split, n residual pairs of 3x3 convolutions on one half, join all parts."""

    def __init__(self, cin, cout, n=1, add=True):
        super().__init__()
        self.half, self.add = cout // 2, add
        self.enter = Conv(cin, cout, 1)
        self.pairs = nn.ModuleList(nn.Sequential(Conv(self.half, self.half), Conv(self.half, self.half)) for _ in range(n))
        self.leave = Conv(cout + n * self.half, cout, 1)

    def forward(self, x):
        parts = list(self.enter(x).split(self.half, 1))
        for pair in self.pairs:
            y = pair(parts[-1])
            parts.append(parts[-1] + y if self.add else y)
        return self.leave(torch.cat(parts, 1))


class Detector(nn.Module):
    def __init__(self, classes, width=(16, 24, 48, 80, 112), head=48):
        super().__init__()
        a, b, c, d, e = width
        self.classes = classes
        self.stem = nn.Sequential(Conv(3, a, 3, 2), Conv(a, b, 3, 2), Block(b, b, 1))
        self.c3 = nn.Sequential(Conv(b, c, 3, 2), Block(c, c, 2))
        self.c4 = nn.Sequential(Conv(c, d, 3, 2), Block(d, d, 2))
        self.c5 = nn.Sequential(Conv(d, e, 3, 2), Block(e, e, 1))
        self.pool = Conv(e * 3, e, 1)
        self.t4, self.t3 = Block(e + d, d, 1, False), Block(d + c, c, 1, False)
        self.d4, self.b4 = Conv(c, c, 3, 2), Block(c + d, d, 1, False)
        self.d5, self.b5 = Conv(d, d, 3, 2), Block(d + e, e, 1, False)
        self.box = nn.ModuleList(nn.Sequential(Conv(w, head), nn.Conv2d(head, 4 * REG, 1)) for w in (c, d, e))
        self.cls = nn.ModuleList(nn.Sequential(Conv(w, head), nn.Conv2d(head, classes, 1)) for w in (c, d, e))
        for box, cls in zip(self.box, self.cls):
            nn.init.constant_(box[-1].bias, 1.0)
            nn.init.constant_(cls[-1].bias, -5.5)

    def forward(self, x):
        """Pictures [B,3,H,W], 0 to 1: (side distributions [B,N,4*REG], class logits [B,N,C])."""
        p3 = self.c3(self.stem(x))
        p4 = self.c4(p3)
        p5 = self.c5(p4)
        q = F.max_pool2d(p5, 5, 1, 2)
        p5 = self.pool(torch.cat([p5, q, F.max_pool2d(q, 5, 1, 2)], 1))
        p4 = self.t4(torch.cat([F.interpolate(p5, scale_factor=2.0), p4], 1))
        p3 = self.t3(torch.cat([F.interpolate(p4, scale_factor=2.0), p3], 1))
        p4 = self.b4(torch.cat([self.d4(p3), p4], 1))
        p5 = self.b5(torch.cat([self.d5(p4), p5], 1))
        levels = (p3, p4, p5)
        box = torch.cat([m(p).flatten(2) for m, p in zip(self.box, levels)], 2).transpose(1, 2)
        cls = torch.cat([m(p).flatten(2) for m, p in zip(self.cls, levels)], 2).transpose(1, 2)
        return box, cls


def cells(height, width):
    """Centres [N,2] in pixels and strides [N] of all cells of an input."""
    points, strides = [], []
    for s in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing="ij")
        points.append((torch.stack([x, y], -1).reshape(-1, 2).float() + 0.5) * s)
        strides.append(torch.full((points[-1].shape[0],), float(s)))
    return torch.cat(points), torch.cat(strides)


def boxes_of(box, points, strides):
    """Side distributions [B,N,4*REG] to corners [B,N,4] in pixels."""
    b, n, _ = box.shape
    d = box.reshape(b, n, 4, REG).softmax(-1) @ torch.arange(REG, dtype=box.dtype) * strides[:, None]
    return torch.cat([points - d[..., :2], points + d[..., 2:]], -1)


class Exported(nn.Module):
    """The detector with its decoding inside: [1,3,S,S] to [1,4+C,N], boxes as centre and size."""

    def __init__(self, net, size):
        super().__init__()
        self.net = net
        points, strides = cells(size, size)
        self.register_buffer("points", points)
        self.register_buffer("strides", strides)

    def forward(self, images):
        box, cls = self.net(images)
        b = boxes_of(box, self.points, self.strides)
        lo, hi = b[..., :2], b[..., 2:]
        return torch.cat([(lo + hi) / 2, hi - lo, cls.sigmoid()], -1).transpose(1, 2)
