"""Builds slow.onnx: the answers of place.onnx, the long way round.

For tests of a daemon whose model is slower than its camera. On the way to the logits, a matrix
filled with a number that depends on the input is averaged again and again, which leaves it as it
was; what remains of rounding is added to every logit alike and changes no probability that shows.
"""

from pathlib import Path

import numpy as np
import onnx
import place
from onnx import TensorProto, helper, numpy_helper

SIZE = 320
ROUNDS = 64  # 33 million multiplications each


def graph() -> onnx.GraphProto:
    """The graph of place.onnx with a detour before its output."""
    fast = place.graph()
    fast.node[-1].output[0] = "fast"
    node = helper.make_node
    body = helper.make_graph(
        [
            node("MatMul", ["matrix", "mean"], ["averaged"]),
            node("Identity", ["go"], ["go_on"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix", TensorProto.FLOAT, [SIZE, SIZE]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("averaged", TensorProto.FLOAT, [SIZE, SIZE]),
        ],
    )
    fast.node.extend(
        [
            node("Expand", ["count", "square"], ["filled"]),
            node("Expand", ["share", "square"], ["mean"]),
            node("Loop", ["rounds", "", "filled"], ["unchanged"], body=body),
            node("ReduceMean", ["unchanged"], ["back"], keepdims=0),
            node("Sub", ["back", "count"], ["nothing"]),
            node("Add", ["fast", "nothing"], ["logits"]),
        ]
    )
    constants = {
        "square": np.array([SIZE, SIZE], dtype=np.int64),
        "share": np.float32(1 / SIZE),
        "rounds": np.int64(ROUNDS),
    }
    fast.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items())
    return fast


def main() -> None:
    """Writes the model beside this script."""
    model = helper.make_model(graph(), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    helper.set_model_props(model, place.METADATA | {"signd.name": "slow 1"})
    onnx.checker.check_model(model)
    onnx.save(model, Path(__file__).with_name("slow.onnx"))


if __name__ == "__main__":
    main()
