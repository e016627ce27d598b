"""Turns a model made for Google's isolated-sign competition into one that signd runs.

    python -m venv VENV
    VENV/bin/pip install --require-hashes --no-deps -r requirements/convert.txt
    VENV/bin/python -m signd_models.convert.from_tflite MODEL.tflite OUT.onnx --name "my model 1" \\
        --labels sign_to_prediction_index_map.json

The model takes landmarks `[T,543,3]`, NaN where missing, and gives one logit per label. What comes
out has the contract `landmarks`. It is compared with TFLite on the clips of lists that `signd eval`
takes (`--clips`, read by `signd landmarks`), or on made-up clips: the best label must be the same
on 98 of 100, since with int8 weights the two round differently; with less nothing is written. From
a model that is ONNX already (`MODEL.onnx`) only the metadata is missing, and nothing is compared.

TensorFlow wants an environment of its own: its protobuf clashes with other packages'.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from ..arguments import add_signd, argument_parser
from ..arrays import Floats, Random
from ..indices import read_index
from ..landmarks import POINTS
from ..runners import runner
from ..signd import Signd

OPSET = 17
LEAST_SAME = 0.98
"""Share of clips whose best label must not change."""


def converted(path: Path) -> onnx.ModelProto:
    """The graph of a TFLite file in ONNX; raises if an operator has no counterpart there."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Here, because TensorFlow takes seconds to load, and an ONNX file needs none of it.
    import tf2onnx

    from . import lowering  # noqa: F401 (corrects tf2onnx)

    model: onnx.ModelProto = tf2onnx.convert.from_tflite(str(path), opset=OPSET)[0]
    spell_out_weights(model)
    onnx.checker.check_model(model)
    return model


def spell_out_weights(model: onnx.ModelProto) -> None:
    """Writes `(weights - zero) * scale` for int8 weights in place of one operator.

    ONNX Runtime fuses that operator with the product into one that rounds its input once more, and
    the best label of 2 clips in 100 changes.
    """
    graph = model.graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "DequantizeLinear" or not set(node.input) <= values.keys():
            nodes.append(node)
            continue
        weights, scale, zero = (values[name] for name in node.input)
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        along = [-1 if i == axis else 1 for i in range(weights.ndim)] if scale.ndim else []
        terms = {"scale": scale.reshape(along), "zero": zero.astype(np.float32).reshape(along)}
        name = node.output[0]
        for term, value in terms.items():
            graph.initializer.append(onnx.numpy_helper.from_array(value, f"{name}/{term}"))
        make = onnx.helper.make_node
        nodes += [
            make("Cast", [node.input[0]], [f"{name}/cast"], to=onnx.TensorProto.FLOAT),
            make("Sub", [f"{name}/cast", f"{name}/zero"], [f"{name}/moved"]),
            make("Mul", [f"{name}/moved", f"{name}/scale"], [name]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def label_names(path: Path) -> list[str]:
    """Names in the order of the outputs, in lower case as signd's lists of clips have them, from a
    JSON list or a map of names to outputs."""
    labels = json.loads(path.read_text())
    if isinstance(labels, dict):
        if sorted(labels.values()) != list(range(len(labels))):
            raise SystemExit(f"{path}: expected each output 0 to {len(labels) - 1} once")
        labels = sorted(labels, key=labels.__getitem__)
    return [label.lower() for label in labels]


def metadata(args: argparse.Namespace) -> dict[str, str]:
    """What signd wants to know of a model."""
    written = {
        "signd.contract": "landmarks",
        "signd.name": args.name,
        "signd.labels": json.dumps(label_names(args.labels)),
        "signd.window": str(args.window),
    }
    if args.no_sign is not None:
        written["signd.no_sign"] = args.no_sign
    if args.temperature is not None:
        written["signd.temperature"] = str(args.temperature)
    return written


def listed_clips(signd: Signd, lists: list[Path]) -> list[Floats]:
    """The clips of lists for `signd eval`."""
    files = [path.parent / line["path"] for path in lists for line in read_index(path)]
    return [recording.landmarks for recording in signd.landmarks(files)]


def made_up_clips(count: int, rng: Random) -> list[Floats]:
    """Points that wander about a place of their own, with parts that go missing for a while."""
    parts = [slice(0, 468), slice(468, 489), slice(489, 522), slice(522, POINTS)]
    clips = []
    for _ in range(count):
        frames = int(rng.integers(4, 128))
        home = rng.uniform(0.2, 0.8, (1, POINTS, 3))
        steps = rng.normal(0, 0.02, (frames, 4, 3)).cumsum(axis=0)
        clip = home + rng.normal(0, 0.003, (frames, POINTS, 3))
        for i, part in enumerate(parts):
            clip[:, part] += steps[:, i, None]
            first, last = np.sort(rng.integers(0, frames + 1, 2))
            clip[first:last, part] = np.nan
        clips.append(clip.astype(np.float32))
    return clips


def compare(tflite: Path, model: Path, clips: list[Floats]) -> float:
    """Share of clips with the same best label; also prints it and how far the logits part."""
    ours, theirs = (np.stack([run(clip) for clip in clips]) for run in map(runner, (model, tflite)))
    if np.isnan(ours).any() or np.isnan(theirs).any():
        raise SystemExit("a logit is NaN")
    same = float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean())
    apart = np.abs(ours - theirs).max()
    print(f"{len(clips)} clips: same best label {same:.1%}, logits at most {apart:.3g} apart")
    return same


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__, whole=True)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--labels", type=Path, required=True, help="JSON file of names")
    parser.add_argument("--name", required=True, help="name and version of the model")
    parser.add_argument("--window", type=int, default=384, help="most frames, 1 to 1024 [384]")
    parser.add_argument("--no-sign", help="the label that means no known sign")
    parser.add_argument("--temperature", type=float, help="divides the logits")
    parser.add_argument("--clips", type=Path, nargs="+", help="lists of clips to compare on")
    add_signd(parser)
    args = parser.parse_args(argv)
    from_tflite = args.model.suffix == ".tflite"
    model = converted(args.model) if from_tflite else onnx.load(args.model)
    onnx.helper.set_model_props(model, metadata(args))
    if from_tflite:
        clips = (
            listed_clips(args.signd, args.clips)
            if args.clips
            else made_up_clips(200, np.random.default_rng(1))
        )
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / "model.onnx"
            onnx.save(model, draft)
            same = compare(args.model, draft, clips)
        if same < LEAST_SAME:
            raise SystemExit(f"{args.out}: not written, since less than {LEAST_SAME:.0%} agree")
    onnx.save(model, args.out)


if __name__ == "__main__":
    main()
