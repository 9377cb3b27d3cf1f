"""Writes the averaged weights of a checkpoint as an ONNX file in the YOLOv8 layout.

Batch norms are folded into the convolutions. Weights are stored as float16 and cast to float32 by
the graph; a runtime folds the casts when it loads the file, so it computes in float32.
"""
import argparse
import hashlib
import io

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from net import STRIDES, Conv, Detector, Exported
from signs import NAMES

VERSION = "1.0"


def fuse(module):
    for name, child in module.named_children():
        if isinstance(child, Conv):
            setattr(module, name, nn.Sequential(fuse_conv_bn_eval(child[0], child[1]), child[2]))
        else:
            fuse(child)
    return module


def halve(graph):
    """Weights of more than 64 numbers become float16 with a Cast each."""
    casts = []
    for t in list(graph.initializer):
        a = numpy_helper.to_array(t)
        if t.data_type != TensorProto.FLOAT or a.size <= 64:
            continue
        graph.initializer.remove(t)
        graph.initializer.append(numpy_helper.from_array(a.astype(np.float16), t.name + ".half"))
        casts.append(helper.make_node("Cast", [t.name + ".half"], [t.name], name=t.name + ".cast", to=TensorProto.FLOAT))
    for c in reversed(casts):
        graph.node.insert(0, c)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--size", type=int, default=320)
    p.add_argument("--caution", type=float, default=1.0,
                   help="taken from every class logit: the order of the scores stays, and 0.25, which users start with, becomes a cautious limit")
    a = p.parse_args()
    net = Detector(len(NAMES))
    net.load_state_dict(torch.load(a.checkpoint)["average"])
    with torch.no_grad():
        for m in net.cls:
            m[-1].bias -= a.caution
    model = Exported(fuse(net.eval()), a.size).eval()
    buffer = io.BytesIO()
    torch.onnx.export(model, torch.zeros(1, 3, a.size, a.size), buffer, opset_version=13,
                      input_names=["images"], output_names=["output0"], do_constant_folding=True)
    m = onnx.load_from_string(buffer.getvalue())
    halve(m.graph)
    m.producer_name, m.producer_version = "spotter", VERSION
    m.doc_string = "Spotter's starter model: traffic signs and codes"
    onnx.helper.set_model_props(m, {
        "description": "Spotter starter model: traffic signs and codes, trained on drawn scenes",
        "author": "Spotter", "license": "Apache-2.0", "version": VERSION, "task": "detect",
        "stride": str(max(STRIDES)), "batch": "1", "imgsz": f"[{a.size}, {a.size}]",
        "names": repr(dict(enumerate(NAMES)))})
    onnx.checker.check_model(m)
    data = m.SerializeToString()
    with open(a.out, "wb") as f:
        f.write(data)
    weights = sum(int(np.prod(t.dims)) for t in m.graph.initializer)
    print(f"{a.out}: {len(data)} bytes, {weights} numbers, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
