"""The two licensed networks that the student learns from; see the model card for their licences."""

from pathlib import Path

import numpy as np
import onnx
from ai_edge_litert.interpreter import Interpreter

from ..arrays import Floats
from ..landmarks import KEPT, POINTS
from ..onnx_session import session

MIT_SHARE = 0.9
"""Weight of the MIT teacher's log-probabilities where both are asked; the rest is the other's."""


def in_image(points: Floats) -> Floats:
    """A clip `[T,P,3]` in signer space as the teachers' phone pictures had it: `[T,543,3]`."""
    out = np.full((len(points), POINTS, 3), np.nan, np.float32)
    moved = points * np.float32(0.22)
    moved[..., 1] += 0.6
    moved[..., 0] = moved[..., 0] / 0.75 + 0.5
    out[:, KEPT] = moved
    return out


class Teacher:
    """Log-probabilities `[250]` and pooled activations `[384]` of the MIT teacher; where `both` are
    asked, as for real recordings, with the Apache-2.0 teacher's opinion mixed in."""

    def __init__(self, mit: Path, apache: Path) -> None:
        graph = onnx.load(mit)
        last = next(
            node for node in graph.graph.node if "Identity_raw_output___11:0" in node.output
        )
        before = {out: node for node in graph.graph.node for out in node.output}
        pooled = last.input[0]
        while before[pooled].op_type in ("DequantizeLinear", "DynamicQuantizeLinear"):
            pooled = before[pooled].input[0]
        graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(pooled))
        self.session = session(graph.SerializeToString())
        self.outputs = ["Identity", pooled]
        self.apache = Interpreter(model_path=str(apache), num_threads=1)
        self.run_apache = self.apache.get_signature_runner("serving_default")

    @staticmethod
    def of(peers: Path) -> "Teacher":
        """The teachers in a folder."""
        return Teacher(peers / "hoyso48-style_MIT.onnx", peers / "transformer_Apache-2.0.tflite")

    def __call__(self, points: Floats, both: bool) -> tuple[Floats, Floats]:
        image = in_image(points)
        logits, pooled = self.session.run(self.outputs, {"raw_landmarks": image[None]})
        log_probs = log_softmax(logits[0])
        if both:
            other = np.asarray(self.run_apache(inputs=image)["outputs"], np.float32).reshape(-1)
            log_probs = log_softmax(MIT_SHARE * log_probs + (1 - MIT_SHARE) * log_softmax(other))
        return log_probs, pooled.reshape(-1)


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities `[K]` of logits `[K]`."""
    shifted = logits - logits.max()
    out: Floats = shifted - np.log(np.exp(shifted).sum())
    return out
