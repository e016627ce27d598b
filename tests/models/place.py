"""Builds place.onnx, the model that tests of the daemon use.

It recognises no sign. It tells whether the dominant hand was, on average, above the shoulders
(`high`) or below them (`low`), and says *no sign* when it saw no hand. That is enough to run the
whole pipeline on real input and to see at a glance whether an answer is right.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

GROUPS = {"hand": 42, "arms": 12}
LABELS = ["high", "low", "no sign"]
RATE_HZ = 30
WINDOW_ROWS = 128
SLOPE = 4.0  # logits per shoulder width of height

METADATA = {
    "signd.contract": "features",
    "signd.name": "place 1",
    "signd.schema": "signd/2",
    "signd.groups": " ".join(GROUPS),
    "signd.rate": str(RATE_HZ),
    "signd.window": str(WINDOW_ROWS),
    "signd.labels": json.dumps(LABELS),
    "signd.no_sign": "no sign",
}


def graph() -> onnx.GraphProto:
    """rows [1, T, F], NaN where missing -> logits [1, 3]."""
    width = sum(GROUPS.values())
    # The y of every landmark of the hand: columns 1, 3, 5 ... of the first group.
    ys = np.arange(1, GROUPS["hand"], 2, dtype=np.int64)
    constants = {
        "ys": ys,
        "zero": np.float32(0),
        "one": np.float32(1),
        "axes": np.array([1, 2], dtype=np.int64),
        "gains": np.array([[-SLOPE, SLOPE, 0.0]], dtype=np.float32),
        "none": np.array([[0.0, 0.0, 10.0]], dtype=np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["rows", "ys"], ["y"], axis=2),
        node("IsNaN", ["y"], ["missing"]),
        node("Where", ["missing", "zero", "y"], ["known"]),
        node("Where", ["missing", "zero", "one"], ["weight"]),
        node("ReduceSum", ["known", "axes"], ["sum"], keepdims=0),
        node("ReduceSum", ["weight", "axes"], ["count"], keepdims=0),
        node("Max", ["count", "one"], ["at_least_one"]),
        node("Div", ["sum", "at_least_one"], ["height"]),
        node("Unsqueeze", ["height", "last"], ["column"]),
        node("Mul", ["column", "gains"], ["placed"]),
        node("Equal", ["count", "zero"], ["unseen"]),
        node("Unsqueeze", ["unseen", "last"], ["unseen_column"]),
        node("Where", ["unseen_column", "none", "placed"], ["logits"]),
    ]
    constants["last"] = np.array([1], dtype=np.int64)
    return helper.make_graph(
        nodes,
        "place",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, "T", width])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(LABELS)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )


def main() -> None:
    """Writes the model beside this script."""
    model = helper.make_model(graph(), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    helper.set_model_props(model, METADATA)
    onnx.checker.check_model(model)
    onnx.save(model, Path(__file__).with_name("place.onnx"))


if __name__ == "__main__":
    main()
