#!/usr/bin/env python3
"""Adds signd's metadata to a converted model of raw landmarks, so that signd runs it.

For models of the kind made for Google's isolated-sign competition, once they are ONNX: input
[T, 543, 3] or [1, T, 543, 3], NaN where missing; output one logit per label. Needs onnx.

landmarks_metadata.py IN.onnx OUT.onnx --labels sign_to_prediction_index_map.json --name "peer 1"
"""

import argparse
import json
from pathlib import Path

import onnx


def label_names(path: Path) -> list[str]:
    """Names in the order of the outputs, from a JSON list or a map of names to outputs."""
    labels = json.loads(path.read_text())
    if isinstance(labels, list):
        return labels
    if sorted(labels.values()) != list(range(len(labels))):
        raise SystemExit(f"{path}: expected each output 0 to {len(labels) - 1} once")
    return sorted(labels, key=labels.__getitem__)


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
    a = parser.parse_args()
    metadata = {
        "signd.contract": "landmarks",
        "signd.name": a.name,
        "signd.labels": json.dumps(label_names(a.labels)),
        "signd.window": str(a.window),
    }
    if a.no_sign is not None:
        metadata["signd.no_sign"] = a.no_sign
    if a.temperature is not None:
        metadata["signd.temperature"] = str(a.temperature)
    model = onnx.load(a.model)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, a.out)


if __name__ == "__main__":
    main()
