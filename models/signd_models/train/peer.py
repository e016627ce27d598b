"""The public network that ours begins with, read from its ONNX file.

It is the network of `combined_model.tflite` of mohamedmahmoud26/asl-ecosystem, MIT licence,
converted to ONNX: 1.8 million weights, kept in 8 bits, taught with Google's competition clips.
Rebuilt from the weights it gives the same logits, but for its rounding of activations as it runs.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional as F

from ..landmarks import ROW_POINTS
from .net import HEADS, Net, Shape

SIGNS = 250
"""Its outputs, in the order of the competition's list."""

Values = NDArray[np.float32]


class Peer(Net):
    """The network as it is: it sees the whole clip, and changes of landmarks ahead of a row."""

    OTHERS = 0

    def changes(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """How landmarks `[B,T,P,2]` change until the next row and until the one after. Missing
        where there is none."""
        t = p.shape[1]
        after = F.pad(p, (0, 0, 0, 0, 0, 2), value=float("nan"))
        return after[:, 1 : t + 1] - p, after[:, 2:] - p


def read_peer(path: Path) -> Peer:
    """The network in an ONNX file."""
    net = Peer(Shape(SIGNS, causal=False))
    state = state_of(*constants(path))
    net.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    return net.eval()


def warm_start(net: Net, peer: Peer) -> None:
    """Gives a network the peer's weights. Where all is seen, its answer after a row is the peer's
    after the row two before: changes since that row stand in for those ahead of it."""
    weights = peer.state_dict()
    z, one, two = weights["stem.weight"].chunk(3, dim=1)
    weights["stem.weight"] = torch.cat([z, -one, two + one - z], dim=1)
    for name in ("classify.weight", "classify.bias"):
        more = torch.zeros_like(weights[name][: net.shape.labels - SIGNS])
        weights[name] = torch.cat([weights[name], more])
    net.load_state_dict(weights)


def constants(path: Path) -> tuple[dict[str, list[Values]], list[int]]:
    """What the nodes of a graph multiply, convolve, scale and shift with, by operator, in order.
    What is kept in 8 bits is widened. And the landmarks that it picks, in their order."""
    graph = onnx.load(path).graph
    kept = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    rounded: dict[str, str] = {}
    found: dict[str, list[Values]] = {name: [] for name in ("MatMul", "Conv", "Mul", "Add")}
    points: list[int] = []
    for node in graph.node:
        first = node.input[0]
        if node.op_type == "DynamicQuantizeLinear":
            rounded[node.output[0]] = first
        elif node.op_type == "DequantizeLinear" and rounded.get(first) in kept:
            kept[node.output[0]] = kept[rounded[first]]
        elif node.op_type == "DequantizeLinear" and first in kept:
            axis = onnx.helper.get_attribute_value(node.attribute[0])
            shape = [-1 if d == axis else 1 for d in range(kept[first].ndim)]
            scale = kept[node.input[1]].reshape(shape)
            kept[node.output[0]] = kept[first].astype(np.float32) * scale
        elif node.op_type == "Gather" and kept.get(node.input[1], np.empty(0)).size > 1:
            points = kept[node.input[1]].tolist()
        elif node.op_type in found:
            values = [kept[name] for name in node.input if name in kept]
            found[node.op_type] += [value for value in values[:1] if value.size > 1]
    return found, points


def state_of(found: dict[str, list[Values]], points: list[int]) -> dict[str, Values]:
    """The weights under the names that they have in `Net`, for the landmarks of a row."""
    products, convolutions = iter(found["MatMul"]), iter(found["Conv"])
    scales = iter([each.ravel() for each in found["Mul"]])
    shifts = iter([each.ravel() for each in found["Add"]])
    # Columns of the first layer: coordinates of each landmark, in the order of ours.
    place = [points.index(landmark) for landmark in ROW_POINTS]
    stem = next(products).T.reshape(-1, 3, len(points), 2)[:, :, place]
    gain, shift = next(scales), next(shifts)
    state = {"stem.weight": gain[:, None] * stem.reshape(len(gain), -1), "stem.bias": shift}
    for i in range(6):
        weight, bias = next(products).T, next(shifts)
        if i == 0:  # the first block takes what comes before gain and shift
            bias = bias - weight @ (shift / gain)
            weight = weight / gain
        state |= {f"convs.{i}.expand.weight": weight, f"convs.{i}.expand.bias": bias}
        taps = next(convolutions)[:, 0, 0].T * next(scales)
        state |= {f"convs.{i}.taps": taps, f"convs.{i}.bias": next(shifts)}
        state[f"convs.{i}.attend"] = next(convolutions).ravel()
        state |= {f"convs.{i}.project.weight": next(products).T}
        state |= {f"convs.{i}.project.bias": next(shifts)}
        if i % 3 == 2:
            name = f"attentions.{i // 3}"
            # Ours are queries of all heads, then keys, then values, and divided by another root.
            qkv = next(products).T.reshape(HEADS, 3, -1, len(gain)).transpose(1, 0, 2, 3).copy()
            qkv[0] *= HEADS**-0.5
            state |= {f"{name}.qkv.weight": qkv.reshape(-1, len(gain))}
            state |= {f"{name}.out.weight": next(products).T}
            for norm in ("norm", "norm2"):
                state |= {f"{name}.{norm}.weight": next(scales)}
                state |= {f"{name}.{norm}.bias": next(shifts)}
            state |= {f"{name}.inner.weight": next(products).T}
            state |= {f"{name}.outer.weight": next(products).T}
    for name in ("top", "classify"):
        state |= {f"{name}.weight": next(products).T, f"{name}.bias": next(shifts)}
    return state
