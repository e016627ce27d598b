"""What tf2onnx 1.17 gets wrong or does not know in models of the competition's kind.

Importing this module corrects it, for the whole process:

- A selection becomes a sum of products, `c*x + !c*y`, through which a NaN of the side not taken
  leaks. Such models select to get rid of NaN, so the conversion succeeds and the answers are
  wrong. Here it becomes ONNX's `Where`.
- Where weights are int8, TFLite quantises what they are multiplied with, each row on its own.
  tf2onnx quantises the whole tensor in one range, and the bias with it, which changes the best
  label of 4 clips in 100. Here it is done in TFLite's way.
- `GELU` is unknown. Here it is written out, in its exact form or the one by tanh.
- An activation `RELU_N1_TO_1` fused into another operator is unknown. Here it is a `Clip`.
"""

import math
from typing import Any

import numpy as np
from tf2onnx.handler import tf_op, tfl_op
from tf2onnx.onnx_opset.controlflow import Select
from tf2onnx.tflite_handlers import tfl_math, tfl_nn

TINY = float(np.finfo(np.float32).tiny)


class Writer:
    """Writes ONNX operators into a graph of tf2onnx; numbers become constants."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def __call__(self, operator: str, *inputs: str | float, **attributes: Any) -> str:
        """Adds one operator and returns the name of its output."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        return str(self.graph.make_node(operator, names, attr=attributes).output[0])

    def constant(self, number: float) -> str:
        name = self.graph.make_const(f"number_{len(self.graph.get_nodes())}", np.float32(number))
        return str(name.output[0])


@tf_op(["Select", "SelectV2"])
class SelectByWhere:
    """A selection that stops NaN."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        node.set_attr("handles_nan", True)
        Select.version_9(ctx, node, **kwargs)


@tfl_op(["TFL_GELU"])
class Gelu:
    """`x * P(X <= x)` for a standard normal X."""

    @classmethod
    def to_tf(cls, ctx: Any, node: Any, **_: Any) -> None:
        write, (x,), output = Writer(ctx), node.input, node.output[0]
        if node.get_attr_value("approximate"):
            cubed = write("Mul", write("Mul", x, x), x)
            inner = write("Add", x, write("Mul", cubed, 0.044715))
            twice = write("Tanh", write("Mul", inner, math.sqrt(2 / math.pi)))
        else:
            twice = write("Erf", write("Mul", x, math.sqrt(0.5)))
        share = write("Mul", write("Add", twice, 1.0), 0.5)
        shapes, dtypes = node.output_shapes, node.output_dtypes
        ctx.remove_node(node.name)
        ctx.make_node("Mul", [x, share], outputs=[output], shapes=shapes, dtypes=dtypes)


def quantize_rows(ctx: Any, node: Any) -> None:
    """Rounds each row of a product's first input to the 256 levels that TFLite gives it."""
    if node.inputs[0].type in ("DequantizeLinear", "TFL_DEQUANTIZE"):
        return
    write, x = Writer(ctx), node.input[0]
    low = write("Min", write("ReduceMin", x, axes=[-1], keepdims=1), 0.0)
    high = write("Max", write("ReduceMax", x, axes=[-1], keepdims=1), 0.0)
    step = write("Max", write("Div", write("Sub", high, low), 255.0), TINY)
    zero = write("Round", write("Sub", -128.0, write("Div", low, step)))
    level = write("Round", write("Add", write("Div", x, step), zero))
    level = write("Min", write("Max", level, -128.0), 127.0)
    rounded = write("Mul", write("Sub", level, zero), step)
    ctx.copy_shape(x, rounded)
    ctx.replace_input(node, x, rounded, input_index=0)


separate_known = tfl_math.separate_fused_activation_function


def separate_fused_activation_function(ctx: Any, node: Any) -> None:
    """As tf2onnx does it, and `RELU_N1_TO_1` too."""
    if node.attr["fused_activation_function"].s != b"RELU_N1_TO_1":
        separate_known(ctx, node)
        return
    del node.attr["fused_activation_function"]
    write, output = Writer(ctx), node.output[0]
    bounds = [write.constant(-1.0), write.constant(1.0)]
    ctx.insert_new_node_on_output("Clip", output, inputs=[output, *bounds])


tfl_math.dynamic_quantize_inputs = quantize_rows
for module in (tfl_math, tfl_nn):
    module.separate_fused_activation_function = separate_fused_activation_function
