"""Trains the detector on packed scenes. Goes on from the last checkpoint when there is one."""
import argparse
import copy
import glob
import math
import os
import queue
import threading
import time

import cv2
import numpy as np
import torch
import torch.multiprocessing as mp

from loss import loss_of
from measure import average_precision, load_shards, predict
from net import Detector, cells
from signs import NAMES

cv2.setNumThreads(1)


class Scenes:
    """The shards on disk; new ones are taken up as they appear."""

    def __init__(self, folder):
        self.folder, self.shards = folder, {}
        self.look()

    def look(self):
        for f in sorted(glob.glob(f"{self.folder}/[0-9][0-9][0-9][0-9].npy")):
            if f not in self.shards:
                rows = np.load(f.replace(".npy", ".labels.npy"))
                self.shards[f] = (np.load(f, mmap_mode="r"), [rows[rows[:, 0] == i, 1:] for i in range(500)])
        self.keys = list(self.shards)

    def order(self, rng):
        """Scenes at random, for ever, in rounds of 2,000 without repetition."""
        while True:
            self.look()
            total = len(self.keys) * 500
            for k in rng.choice(total, min(2000, total), replace=False):
                images, labels = self.shards[self.keys[k // 500]]
                yield images[k % 500], labels[k % 500]


def vary(rng, img, rows, size, low, high, calm):
    """One training picture: scaled by low..high of `size`, cut or padded to `size`, colours moved."""
    n = img.shape[0]
    k = rng.uniform(low, high) * size / n
    room = size - n * k
    dx, dy = (rng.uniform(min(0, room), max(0, room)) for _ in range(2))
    # Pixel centres stay pixel centres: a shift of (k-1)/2 goes with a scale of k.
    m = np.array([[k, 0, dx + (k - 1) / 2], [0, k, dy + (k - 1) / 2]], np.float64)
    src = cv2.blur(img, (2, 2)) if k < 0.6 else img
    out = cv2.warpAffine(src, m, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(114, 114, 114))
    boxes = rows[:, 1:] * k + [dx, dy, dx, dy]
    cut = np.clip(boxes, 0, size)
    area = lambda b: np.clip(b[:, 2] - b[:, 0], 0, None) * np.clip(b[:, 3] - b[:, 1], 0, None)
    keep = (area(cut) > 0.4 * area(boxes)) & ((cut[:, 2:] - cut[:, :2]).min(1, initial=1e9) > 7)
    if not calm:
        for _ in range(int(rng.integers(0, 4))):
            s = int(rng.integers(4, 26))
            x, y = rng.integers(0, size, 2)
            out[y:y + s, x:x + int(s * rng.uniform(0.4, 2))] = rng.integers(0, 256, 3)
    if rng.random() < 0.8:
        ramp = np.arange(256, dtype=np.float32)
        gain, shift, gamma = rng.uniform(0.75, 1.25), rng.uniform(-22, 22), math.exp(rng.uniform(-0.25, 0.25))
        lut = np.stack([np.clip(255 * (ramp / 255) ** gamma * gain * rng.uniform(0.93, 1.07) + shift, 0, 255) for _ in range(3)], -1)
        out = cv2.LUT(out, lut.astype(np.uint8)[None])
    return out, np.c_[rows[keep, 0], cut[keep]]


def feeder(scenes, rng, batch, plan, out, stop):
    order = scenes.order(rng)
    while not stop.is_set():
        size, low, high, calm = plan()
        images, rows = zip(*(vary(rng, *next(order), size, low, high, calm) for _ in range(batch)))
        most = max(1, max(len(r) for r in rows))
        labels, truth, mask = np.zeros((batch, most), np.int64), np.zeros((batch, most, 4), np.float32), np.zeros((batch, most), bool)
        for i, r in enumerate(rows):
            labels[i, :len(r)], truth[i, :len(r)], mask[i, :len(r)] = r[:, 0], r[:, 1:], True
        x = torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2)
        item = (x, torch.from_numpy(labels), torch.from_numpy(truth), torch.from_numpy(mask))
        while not stop.is_set():
            try:
                out.put(item, timeout=1)
                break
            except queue.Full:
                continue


def gradients(net, item, grids, exact):
    """Forward and backward on one batch; the gradients stay in the net. Returns the loss's parts."""
    x, labels, truth, mask = item
    size = x.shape[-1]
    if size not in grids:
        grids[size] = cells(size, size)
    for q in net.parameters():
        q.grad = None
    with torch.autocast("cpu", torch.bfloat16, enabled=not exact):
        out = net(x.contiguous(memory_format=torch.channels_last).float() / 255)
    loss, parts = loss_of((out[0].float(), out[1].float()), *grids[size], labels, truth, mask)
    loss.backward()
    return parts


def flatten(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def replica(rank, a, step, share, weights, slots, phase, go, done):
    """A process with one thread that adds its gradients to every step. One process per core waits for
    the others once a step; threads of one process would wait for each other in every layer."""
    torch.set_num_threads(1)
    net = Detector(len(NAMES)).to(memory_format=torch.channels_last).train()
    batches, stop = queue.Queue(4), threading.Event()
    plan = lambda: PLANS[int(phase.value)](a)
    threading.Thread(target=feeder, args=(Scenes(a.scenes), np.random.default_rng([a.seed, step, rank]), share, plan, batches, stop), daemon=True).start()
    grids, params = {}, list(net.parameters())
    parent = os.getppid()
    while True:
        while not go.acquire(timeout=20):
            if os.getppid() != parent:
                return
        at = 0
        with torch.no_grad():
            for q in params:
                q.copy_(weights[at:at + q.numel()].view_as(q))
                at += q.numel()
        gradients(net, batches.get(), grids, a.exact)
        slots[rank].copy_(flatten([p.grad for p in params]))
        done.release()


# What the pictures look like while training: (side, smallest scale, largest scale, without cut-outs).
PLANS = [lambda a: (a.size, 0.75, 1.45, False), lambda a: (320, 0.88, 1.06, True)]


def evaluate(net, images, rows):
    ap = average_precision(predict(net, images), rows, len(NAMES))
    return np.nanmean(ap[:, 0]), np.nanmean(ap), ap


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scenes", required=True, help="folder of packed training scenes")
    p.add_argument("--validation", required=True, help="folder of packed validation scenes")
    p.add_argument("--out", required=True, help="checkpoint file")
    p.add_argument("--steps", type=int, default=9000)
    p.add_argument("--minutes", type=float, default=0, help="end by the clock instead of by steps")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=2.5e-3)
    p.add_argument("--size", type=int, default=256, help="side of the training pictures before the last part")
    p.add_argument("--calm", type=float, default=0.82, help="share of the training after which whole scenes are shown")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--start", help="weights to begin with; the schedule starts anew")
    p.add_argument("--only", type=int, default=0, help="train on the first few scenes alone (to see whether they can be learnt)")
    p.add_argument("--exact", action="store_true", help="float32 throughout instead of bfloat16 convolutions")
    p.add_argument("--processes", type=int, default=2, help="each with one thread and its share of the batch")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    mp.set_start_method("fork", force=True)
    net = Detector(len(NAMES)).to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    decay = [q for n, q in net.named_parameters() if q.dim() > 1]
    plain = [q for n, q in net.named_parameters() if q.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=a.rate, betas=(0.9, 0.99))
    step, spent = 0, 0.0
    if os.path.exists(a.out):
        c = torch.load(a.out)
        net.load_state_dict(c["net"]); average.load_state_dict(c["average"]); optimizer.load_state_dict(c["optimizer"])
        step, spent = c["step"], c["spent"]
        print(f"going on from step {step}, {spent / 60:.1f} min", flush=True)
    elif a.start:
        c = torch.load(a.start)
        net.load_state_dict(c["average"]); average.load_state_dict(c["average"])
    began = time.time() - spent
    progress = lambda: min(1.0, (time.time() - began) / (a.minutes * 60) if a.minutes else step / a.steps)
    scenes = Scenes(a.scenes)
    if a.only:
        key = scenes.keys[0]
        images, rows = scenes.shards[key]
        scenes.order = lambda rng: iter(lambda: (lambda k: (images[k], rows[k]))(int(rng.integers(a.only))), None)
        val_images = np.asarray(images[:a.only])
        val_rows = np.concatenate([np.c_[np.full(len(rows[i]), i), rows[i]] for i in range(a.only)])
    else:
        val_images, val_rows = load_shards(a.validation, 300)
    share = a.batch // a.processes
    phase = mp.Value("i", 0)
    plan = lambda: PLANS[phase.value](a)
    params = list(net.parameters())
    weights = flatten(params).detach().clone().share_memory_()
    slots = [torch.zeros_like(weights).share_memory_() for _ in range(a.processes)]
    done = mp.Semaphore(0)
    goes = [mp.Semaphore(0) for _ in range(1, a.processes)]
    for r in range(1, a.processes):
        mp.Process(target=replica, args=(r, a, step, share, weights, slots, phase, goes[r - 1], done), daemon=True).start()
    batches, stop = queue.Queue(6), threading.Event()
    threading.Thread(target=feeder, args=(scenes, np.random.default_rng([a.seed, step, 0]), share, plan, batches, stop), daemon=True).start()
    grids, sums, count, noted, evaluated = {}, np.zeros(3), 0, time.time(), time.time()

    def save():
        torch.save({"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
                    "step": step, "spent": time.time() - began}, a.out + ".part")
        os.replace(a.out + ".part", a.out)

    while progress() < 1.0:
        t = progress()
        phase.value = int(t > a.calm)
        rate = a.rate * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * t)))
        for g in optimizer.param_groups:
            g["lr"] = rate
        weights.copy_(flatten(params).detach())
        for go in goes:
            go.release()
        parts = gradients(net.train(), batches.get(), grids, a.exact)
        for _ in goes:
            done.acquire()
        at = 0
        for q in params:
            n = q.numel()
            for other in slots[1:]:
                q.grad += other[at:at + n].view_as(q)
            q.grad /= a.processes
            at += n
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            d = 0.999 * (1 - math.exp(-step / 300))
            for u, v in zip(average.state_dict().values(), net.state_dict().values()):
                if u.dtype.is_floating_point:
                    u.mul_(d).add_(v, alpha=1 - d)
        sums += parts
        count += 1
        if count == 50:
            now = time.time()
            print(f"{time.strftime('%H:%M:%S')} step {step} {100 * t:.1f}% rate {rate:.5f} class {sums[0] / 50:.3f} box {sums[1] / 50:.3f} "
                  f"side {sums[2] / 50:.3f} {50 * a.batch / (now - noted):.0f} img/s queue {batches.qsize()} scenes {len(scenes.keys) * 500}", flush=True)
            sums, count, noted = np.zeros(3), 0, now
            if now - evaluated > 540:
                save()
                m50, m, _ = evaluate(average, val_images[:150], val_rows[val_rows[:, 0] < 150])
                print(f"{time.strftime('%H:%M:%S')} step {step} mAP50 {m50:.4f} mAP50-95 {m:.4f}", flush=True)
                evaluated = noted = time.time()
            elif step % 250 < 50:
                save()
    save()
    stop.set()
    m50, m, ap = evaluate(average, val_images, val_rows)
    print(f"done: step {step} mAP50 {m50:.4f} mAP50-95 {m:.4f}")
    for n, r in zip(NAMES, ap):
        print(f"  {n:15s} {r[0]:.3f} {np.mean(r):.3f}")


if __name__ == "__main__":
    main()
