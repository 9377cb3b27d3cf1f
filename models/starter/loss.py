"""Which cell answers for which object (task-aligned assignment), and the loss that follows."""
import math

import torch
import torch.nn.functional as F

from net import REG, boxes_of

TOP, ALPHA, BETA = 10, 0.5, 6.0


def overlap(a, b, complete=False):
    """IoU of corner boxes, broadcast; with `complete`, CIoU."""
    lo, hi = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    wh = (hi - lo).clamp(min=0)
    inter = wh[..., 0] * wh[..., 1]
    aw, ah = (a[..., 2] - a[..., 0]).clamp(min=1e-3), (a[..., 3] - a[..., 1]).clamp(min=1e-3)
    bw, bh = (b[..., 2] - b[..., 0]).clamp(min=1e-3), (b[..., 3] - b[..., 1]).clamp(min=1e-3)
    iou = inter / (aw * ah + bw * bh - inter + 1e-7)
    if not complete:
        return iou
    c = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    diagonal = (c ** 2).sum(-1) + 1e-7
    distance = (((a[..., :2] + a[..., 2:]) - (b[..., :2] + b[..., 2:])) ** 2).sum(-1) / 4
    v = (4 / math.pi ** 2) * (torch.atan(bw / bh) - torch.atan(aw / ah)) ** 2
    with torch.no_grad():
        k = v / (v - iou + 1 + 1e-7)
    return iou - distance / diagonal - v * k


@torch.no_grad()
def assign(scores, boxes, points, labels, truth, mask):
    """scores [B,N,C] (probabilities), boxes [B,N,4], labels [B,M], truth [B,M,4], mask [B,M] bool.

    Returns (index of the object per cell [B,N], target scores [B,N,C], positive cells [B,N])."""
    b, n, classes = scores.shape
    m = truth.shape[1]
    inside = torch.cat([points[None, None] - truth[:, :, None, :2], truth[:, :, None, 2:] - points[None, None]], -1).amin(-1) > 0.01
    inside &= mask[:, :, None]
    iou = overlap(truth[:, :, None], boxes[:, None]).clamp(min=0) * inside
    s = scores.transpose(1, 2).gather(1, labels[:, :, None].expand(-1, -1, n))
    align = s.sqrt() * iou ** BETA * inside
    top, where = align.topk(TOP, -1)
    chosen = torch.zeros_like(align).scatter_(-1, where, (top > 1e-12).float()) * inside
    many = chosen.sum(1, keepdim=True) > 1
    best = F.one_hot((iou * chosen).argmax(1), m).transpose(1, 2).to(chosen.dtype)
    chosen = torch.where(many, best * chosen.clamp(max=1), chosen)
    positive = chosen.sum(1) > 0
    owner = chosen.argmax(1)
    a = align * chosen
    peak, reach = a.amax(-1, keepdim=True), (iou * chosen).amax(-1, keepdim=True)
    weight = (a * reach / (peak + 1e-9)).amax(1)
    target = F.one_hot(labels.gather(1, owner), classes).float() * (weight * positive)[..., None]
    return owner, target, positive


def loss_of(output, points, strides, labels, truth, mask):
    """The weighted sum, and its parts for the log: classes, boxes, distributions."""
    box, cls = output
    corners = boxes_of(box, points, strides)
    owner, target, positive = assign(cls.detach().sigmoid(), corners.detach(), points, labels, truth, mask)
    total = target.sum().clamp(min=1)
    l_cls = F.binary_cross_entropy_with_logits(cls, target, reduction="sum") / total
    if not positive.any():
        return l_cls * 0.5 + box.sum() * 0, (l_cls.item(), 0.0, 0.0)   # every weight has a gradient, if a zero
    weight = target.sum(-1)[positive]
    want = truth.gather(1, owner[..., None].expand(-1, -1, 4))[positive]
    l_box = ((1 - overlap(corners[positive], want, True)) * weight).sum() / total
    p = points[None].expand(box.shape[0], -1, -1)[positive]
    s = strides[None].expand(box.shape[0], -1)[positive]
    side = (torch.cat([p - want[:, :2], want[:, 2:] - p], -1) / s[:, None]).clamp(0, REG - 1.01)
    low = side.long()
    high_share = side - low
    logp = F.log_softmax(box[positive].reshape(-1, 4, REG), -1)
    d = -(logp.gather(-1, low[..., None])[..., 0] * (1 - high_share) + logp.gather(-1, low[..., None] + 1)[..., 0] * high_share)
    l_dfl = (d.mean(-1) * weight).sum() / total
    return 7.5 * l_box + 0.5 * l_cls + 1.5 * l_dfl, (l_cls.item(), l_box.item(), l_dfl.item())
