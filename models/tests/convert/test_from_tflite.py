"""A small network with everything that goes wrong in conversion, converted and compared.

Needs TensorFlow: `requirements/convert.txt`.
"""

from pathlib import Path

import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from signd_models.convert import from_tflite as convert
from signd_models.runners import runner

LABELS, WIDTH = 16, 128


class Network(tf.Module):
    """Stops NaN by a selection; then dense layers whose weights become int8."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(7)
        self.first = tf.constant(rng.normal(0, 0.1, (543 * 3, WIDTH)), tf.float32)
        self.last = tf.constant(rng.normal(0, 0.3, (WIDTH, LABELS)), tf.float32)
        self.bias = tf.constant(rng.normal(0, 1, WIDTH), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, 543, 3], tf.float32, "inputs")])
    def __call__(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.reshape(inputs, [-1, 543 * 3])
        rows = tf.where(tf.math.is_finite(rows), rows, tf.zeros_like(rows))
        hidden = tf.nn.gelu(rows @ self.first + self.bias, approximate=False)
        hidden = tf.minimum(tf.maximum(hidden + self.bias, -1.0), 1.0)
        return {"outputs": tf.reduce_mean(hidden @ self.last, axis=0)}


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = Network()
    function = network.__call__.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="module")
def model(tflite: Path) -> Path:
    path = tflite.with_name("model.onnx")
    onnx.save(convert.converted(tflite), path)
    return path


def test_the_network_has_what_goes_wrong(tflite: Path, model: Path) -> None:
    """Without it the other tests would show nothing."""
    details = Interpreter(model_path=str(tflite))._get_ops_details()
    names = {operator["op_name"] for operator in details}
    assert {"SELECT_V2", "GELU", "FULLY_CONNECTED"} <= names
    assert not {"MINIMUM", "MAXIMUM", "RELU_N1_TO_1"} & names, "not fused"
    graph = onnx.load(model).graph
    assert "Clip" in {node.op_type for node in graph.node}
    assert onnx.TensorProto.INT8 in {tensor.data_type for tensor in graph.initializer}


def test_onnx_runtime_answers_as_tflite_does(tflite: Path, model: Path) -> None:
    """As its own kernels do; XNNPACK's, its default, round int8 products differently."""
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_path=str(tflite), experimental_op_resolver_type=kernels)
    theirs, ours = interpreter.get_signature_runner(), runner(model)
    for clip in convert.made_up_clips(20, np.random.default_rng(3)):
        assert np.isnan(clip).any()
        expected = theirs(inputs=clip)["outputs"]
        assert expected.shape == (LABELS,)
        # Left unrounded, or rounded over the whole tensor, they part by 0.01 and more.
        np.testing.assert_allclose(ours(clip), expected, atol=1e-3)


def test_another_network_does_not_pass(tflite: Path, model: Path, tmp_path: Path) -> None:
    changed = onnx.load(model)
    output = changed.graph.output[0].name
    last = next(node for node in changed.graph.node if output in node.output)
    last.output[:] = ["right"]
    changed.graph.node.append(onnx.helper.make_node("Neg", ["right"], [output]))
    onnx.save(changed, tmp_path / "changed.onnx")
    clips = convert.made_up_clips(20, np.random.default_rng(3))
    assert convert.compare(tflite, model, clips) >= convert.LEAST_SAME
    assert convert.compare(tflite, tmp_path / "changed.onnx", clips) < convert.LEAST_SAME


def test_label_names(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"TV": 1, "after": 0}')
    assert convert.label_names(path) == ["after", "tv"]
    path.write_text('{"TV": 2, "after": 0}')
    with pytest.raises(SystemExit, match="each output 0 to 1 once"):
        convert.label_names(path)
