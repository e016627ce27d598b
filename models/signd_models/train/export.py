"""Writes a fitted network as two ONNX files, window form and streaming form, and checks them.

    python -m signd_models.train.export NET.pt OUT_DIR --labels sign_to_prediction_index_map.json

Weights are stored as 16-bit floats and widened when the file is loaded: half the size, and both
forms, and PyTorch in the check, compute with the same rounded numbers.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ..arguments import argument_parser
from ..features import GROUPS, RATE_HZ, WINDOW_ROWS, spans
from ..indices import NO_SIGN, read_vocabulary
from ..onnx_session import session
from .calibration import Calibration
from .checkpoint import read_net
from .net import Net
from .views import TwoViews

SCHEMA = "signd/2"
AUTHOR = (
    "the signd contributors, beginning with the weights of combined_model.tflite by "
    "mohamedmahmoud26 (asl-ecosystem, MIT)"
)
LICENSE = "MIT. Some of the recordings that it was taught with are for research alone: see its card"
"""Whose the weights are goes wherever the file goes."""
WIDTH = max(where.stop for where in spans().values())
"""Columns of a row."""
AGREE = 1e-4
"""Most that an output of the two forms and of PyTorch may differ."""


class Window(nn.Module):
    """Rows `[1,T,F]` to logits `[1,K]` and embedding `[1,E]`."""

    def __init__(self, net: TwoViews) -> None:
        super().__init__()
        self.net = net

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What the window form computes."""
        return self.net.window(rows)


class Streaming(nn.Module):
    """A row `[B,F]` and the state `[B,S]` of each stream to logits, embedding and next state."""

    def __init__(self, net: TwoViews) -> None:
        super().__init__()
        self.net = net

    def forward(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the streaming form computes."""
        return self.net.step(rows, state)


def rounded(net: Net) -> Net:
    """The network as it runs, weights rounded to 16-bit floats."""
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(value.half().float())
    return net


def halved(model: onnx.ModelProto) -> None:
    """Stores the big weights as 16-bit floats, each widened by a Cast that the runtime folds."""
    graph = model.graph
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = weight.name
        if np.abs(values - values.astype(np.float16)).max() > 0:
            if name.startswith("net."):
                raise SystemExit(f"{name} is not what was rounded")
            continue  # computed from weights by the exporter, as it does with small ones
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_16"))
        cast = helper.make_node("Cast", [f"{name}_16"], [name], to=TensorProto.FLOAT)
        graph.node.insert(0, cast)


def finish(path: Path, contract: str, name: str, labels: list[str], how: Calibration) -> None:
    """Adds signd's metadata."""
    model = onnx.load(path)
    halved(model)
    for node in model.graph.node:  # the exporter notes which source file each came from
        del node.metadata_props[:]
        node.doc_string = ""
    helper.set_model_props(
        model,
        {
            "signd.contract": contract,
            "signd.name": name,
            "signd.author": AUTHOR,
            "signd.license": LICENSE,
            "signd.schema": SCHEMA,
            "signd.groups": GROUPS,
            "signd.rate": str(RATE_HZ),
            "signd.window": str(WINDOW_ROWS),
            "signd.labels": json.dumps([*labels, NO_SIGN]),
            "signd.no_sign": NO_SIGN,
            "signd.temperature": f"{how.temperature:g}",
            "signd.threshold": f"{how.threshold:g}",
        },
    )
    onnx.checker.check_model(model)
    onnx.save(model, path)


@torch.no_grad()
def check(net: TwoViews, window: Path, streaming: Path) -> float:
    """The largest difference between PyTorch and ONNX Runtime, and between the two forms at the
    last row of a sign."""
    one, other = session(window), session(streaming)
    rng = np.random.default_rng(3)
    worst = 0.0
    for length in (1, 2, 9, 40, WINDOW_ROWS):
        rows = rng.normal(0, 0.5, (1, length, WIDTH)).astype(np.float32)
        rows[rng.random(rows.shape) < 0.1] = np.nan
        ours = [part.numpy() for part in net.window(torch.from_numpy(rows))]
        answers = [one.run(["logits", "embedding"], {"rows": rows})]
        state = np.zeros((1, net.state_size()), np.float32)
        for t in range(length):
            *answer, state = other.run(None, {"rows": rows[:, t], "state": state})
        answers.append(answer)
        for answer in answers:
            gaps = (float(np.abs(a - b).max()) for a, b in zip(ours, answer, strict=True))
            worst = float(np.max([worst, *gaps]))  # which a NaN survives
    return worst


def export(net: Net, out: Path, name: str, labels: list[str], how: Calibration) -> None:
    """Writes `signd.onnx` (streaming) and `signd-window.onnx`."""
    with torch.no_grad():
        net.classify.bias[-1] += how.no_sign
    net = rounded(net).eval()
    views = TwoViews(net).eval()
    size = views.state_size()
    batch = torch.export.Dim("B", min=1, max=4096)
    window, streaming = out / "signd-window.unchecked", out / "signd.unchecked"
    torch.onnx.export(
        Window(views).eval(), (torch.randn(1, 40, WIDTH),), str(window),
        input_names=["rows"], output_names=["logits", "embedding"],
        dynamic_shapes={"rows": {1: torch.export.Dim("T", min=1, max=4096)}}, external_data=False,
    )  # fmt: skip
    torch.onnx.export(
        Streaming(views).eval(), (torch.randn(3, WIDTH), torch.zeros(3, size)), str(streaming),
        input_names=["rows", "state"], output_names=["logits", "embedding", "next"],
        dynamic_shapes={"rows": {0: batch}, "state": {0: batch}}, external_data=False,
    )  # fmt: skip
    finish(window, "features", name, labels, how)
    finish(streaming, "stream", name, labels, how)
    gap = check(views, window, streaming)
    sizes = " + ".join(f"{path.stat().st_size / 1e6:.2f}" for path in (window, streaming))
    print(f"{sizes} MB; PyTorch, window and streaming differ by {gap:.1e} at most")
    if not gap < AGREE:
        raise SystemExit(f"they must agree to {AGREE}")
    for path in (window, streaming):
        path.rename(path.with_suffix(".onnx"))


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("net", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--name", default="signs 250")
    parser.add_argument("--calibration", type=Path, help="what openset has written")
    args = parser.parse_args(argv)
    labels = read_vocabulary(args.labels)
    how = Calibration.read(args.calibration) if args.calibration else Calibration()
    export(read_net(args.net), args.out, args.name, labels, how)


if __name__ == "__main__":
    main()
