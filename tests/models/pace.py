"""Builds pace-stream.onnx and pace-window.onnx: one small model in both of its forms.

Like place.onnx it tells whether the dominant hand was, on average, above the shoulders (`high`) or
below them (`low`). It also adds up how far the hand went up and down from row to row, so that the
state between two rows holds both kinds of memory that real models have: a running mean and the row
before. Its last logit is that path; when no hand was seen it says *no sign*.
"""

from pathlib import Path

import numpy as np
import onnx
import place
from onnx import NodeProto, TensorProto, helper, numpy_helper

WIDTH = sum(place.GROUPS.values())
STATE = 5  # seen landmarks, sum of their y, path, y of the row before, whether that is known
PATH = 0.25  # logits per shoulder width of path
EMBEDDING = 4

node = helper.make_node

# The y of every landmark of the hand, picked and added up by a matrix, as a network's first layer.
PICK = np.zeros((WIDTH, 1), dtype=np.float32)
PICK[1 : place.GROUPS["hand"] : 2] = 1.0

CONSTANTS = {
    "zero": np.float32(0),
    "one": np.float32(1),
    "pick": PICK,
    "gains": np.array([[-place.SLOPE, place.SLOPE, 0.0], [0.0, 0.0, PATH]], dtype=np.float32),
    "none": np.array([[0.0, 0.0, 10.0]], dtype=np.float32),
    "turn": np.array([[1, 0, -1, 2], [0, 1, 1, -1]], dtype=np.float32),
    "bias": np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32),
    "tiny": np.float32(1e-12),
    "first": np.array([0], dtype=np.int64),
    "last": np.array([-1], dtype=np.int64),
    "rest": np.array([1], dtype=np.int64),
    "time": np.array([1], dtype=np.int64),
    "before": np.zeros((1, 1, 1), dtype=np.float32),
}


def seen() -> list[NodeProto]:
    """rows [..., F] -> [..., 1]: how many landmarks are seen, sum and mean of y, whether any is."""
    return [
        node("IsNaN", ["rows"], ["missing"]),
        node("Where", ["missing", "zero", "rows"], ["known"]),
        node("Where", ["missing", "zero", "one"], ["weight"]),
        node("MatMul", ["known", "pick"], ["sum"]),
        node("MatMul", ["weight", "pick"], ["count"]),
        node("Max", ["count", "one"], ["at_least_one"]),
        node("Div", ["sum", "at_least_one"], ["y"]),
        node("Min", ["count", "one"], ["any"]),
    ]


def moved() -> list[NodeProto]:
    """How far the hand moved since the row before, as far as it was seen in both."""
    return [
        node("Sub", ["y", "y_before"], ["signed"]),
        node("Abs", ["signed"], ["far"]),
        node("Mul", ["any", "any_before"], ["both"]),
        node("Mul", ["far", "both"], ["moved"]),
    ]


def answered() -> list[NodeProto]:
    """counts, sums and path, [B, 1] each, -> logits [B, 3] and embedding [B, 4]."""
    return [
        node("Max", ["counts", "one"], ["seen_at_least_one"]),
        node("Div", ["sums", "seen_at_least_one"], ["height"]),
        node("Concat", ["height", "path"], ["told"], axis=1),
        node("MatMul", ["told", "gains"], ["placed"]),
        node("Equal", ["counts", "zero"], ["unseen"]),
        node("Where", ["unseen", "none", "placed"], ["logits"]),
        node("MatMul", ["told", "turn"], ["turned"]),
        node("Add", ["turned", "bias"], ["direction"]),
        node("ReduceL2", ["direction", "time"], ["length"], keepdims=1),
        node("Max", ["length", "tiny"], ["positive"]),
        node("Div", ["direction", "positive"], ["embedding"]),
    ]


def stream() -> list[NodeProto]:
    """rows [B, F] and state [B, 5] -> logits, embedding, next."""
    parts = ["counts_before", "sums_before", "path_before", "y_before", "any_before"]
    return [
        node("Split", ["state"], parts, axis=1, num_outputs=STATE),
        *seen(),
        *moved(),
        node("Add", ["counts_before", "count"], ["counts"]),
        node("Add", ["sums_before", "sum"], ["sums"]),
        node("Add", ["path_before", "moved"], ["path"]),
        *answered(),
        node("Concat", ["counts", "sums", "path", "y", "any"], ["next"], axis=1),
    ]


def window() -> list[NodeProto]:
    """rows [1, T, F] -> logits, embedding."""
    lagged = [
        step
        for name in ("y", "any")
        for step in (
            node("Slice", [name, "first", "last", "time"], [f"{name}_but_last"]),
            node("Concat", ["before", f"{name}_but_last"], [f"{name}_before"], axis=1),
        )
    ]
    totals = [
        node("ReduceSum", [part, "time"], [total], keepdims=0)
        for part, total in {"count": "counts", "sum": "sums", "moved": "path"}.items()
    ]
    return [*seen(), *lagged, *moved(), *totals, *answered()]


def write(form: str, contract: str, nodes: list[NodeProto], batch: str | int) -> None:
    """Writes one form beside this script."""
    value = helper.make_tensor_value_info
    inputs = [value("rows", TensorProto.FLOAT, [1, "T", WIDTH])]
    outputs = [
        value("logits", TensorProto.FLOAT, [batch, len(place.LABELS)]),
        value("embedding", TensorProto.FLOAT, [batch, EMBEDDING]),
    ]
    if contract == "stream":
        inputs = [
            value("rows", TensorProto.FLOAT, [batch, WIDTH]),
            value("state", TensorProto.FLOAT, [batch, STATE]),
        ]
        outputs.append(value("next", TensorProto.FLOAT, [batch, STATE]))
    used = {name for step in nodes for name in step.input}
    constants = [
        numpy_helper.from_array(np.asarray(v), k) for k, v in CONSTANTS.items() if k in used
    ]
    graph = helper.make_graph(nodes, f"pace {form}", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    named = {"signd.name": "pace 1", "signd.contract": contract, "signd.threshold": "0.6"}
    helper.set_model_props(model, place.METADATA | named)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, Path(__file__).with_name(f"pace-{form}.onnx"))


def main() -> None:
    """Writes both forms."""
    write("stream", "stream", stream(), "B")
    write("window", "features", window(), 1)


if __name__ == "__main__":
    main()
