"""Turns a model made for Google's isolated-sign competition into one that signd runs.

    python -m venv VENV
    VENV/bin/pip install --require-hashes -r models/from-tflite/requirements.txt
    VENV/bin/python -m models.from-tflite.convert MODEL.tflite OUT.onnx --name "my model 1" \\
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
from pathlib import Path

import numpy as np
import onnx

from models.runners import Floats, runner
from models.train.clips import POINTS, read_index, read_landmarks

OPSET = 17
LEAST_SAME = 0.98
"""Share of clips whose best label must not change."""


def converted(path: Path) -> onnx.ModelProto:
    """The graph of a TFLite file in ONNX; raises if an operator has no counterpart there."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Here, because TensorFlow takes seconds to load, and an ONNX file needs none of it.
    import tf2onnx

    from . import lowering  # noqa: F401 (corrects tf2onnx)

    model, _ = tf2onnx.convert.from_tflite(str(path), opset=OPSET)
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


def metadata(asked: argparse.Namespace) -> dict[str, str]:
    """What signd wants to know of a model."""
    said = {
        "signd.contract": "landmarks",
        "signd.name": asked.name,
        "signd.labels": json.dumps(label_names(asked.labels)),
        "signd.window": str(asked.window),
    }
    if asked.no_sign is not None:
        said["signd.no_sign"] = asked.no_sign
    if asked.temperature is not None:
        said["signd.temperature"] = str(asked.temperature)
    return said


def listed_clips(signd: Path, lists: list[Path]) -> list[Floats]:
    """The clips of lists for `signd eval`."""
    files = [path.parent / line["path"] for path in lists for line in read_index(path)]
    return [landmarks for landmarks, _, _ in read_landmarks(signd, files)]


def made_up_clips(count: int, rng: np.random.Generator) -> list[Floats]:
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


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--labels", type=Path, required=True, help="JSON file of names")
    parser.add_argument("--name", required=True, help="name and version of the model")
    parser.add_argument("--window", type=int, default=384, help="most frames, 1 to 1024 [384]")
    parser.add_argument("--no-sign", help="the label that means no known sign")
    parser.add_argument("--temperature", type=float, help="divides the logits")
    parser.add_argument("--clips", type=Path, nargs="+", help="lists of clips to compare on")
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    asked = parser.parse_args()
    from_tflite = asked.model.suffix == ".tflite"
    model = converted(asked.model) if from_tflite else onnx.load(asked.model)
    onnx.helper.set_model_props(model, metadata(asked))
    if from_tflite:
        clips = (
            listed_clips(asked.signd, asked.clips)
            if asked.clips
            else made_up_clips(200, np.random.default_rng(1))
        )
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / "model.onnx"
            onnx.save(model, draft)
            same = compare(asked.model, draft, clips)
        if same < LEAST_SAME:
            raise SystemExit(f"{asked.out}: not written, since less than {LEAST_SAME:.0%} agree")
    onnx.save(model, asked.out)


if __name__ == "__main__":
    main()
