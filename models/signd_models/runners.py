"""Models of raw landmarks as functions: TFLite and ONNX files alike, on one thread.

A clip is float32 `[T,543,3]`, NaN where missing; what comes back is float32 `[K]`, logits.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .arrays import Floats
from .onnx_session import session

Runner = Callable[[Floats], Floats]


def onnx_runner(path: Path) -> Runner:
    """Runs an ONNX file of one input `[T,...]` or `[1,T,...]`; the first output counts."""
    opened = session(path)
    (given,) = opened.get_inputs()

    def run(clip: Floats) -> Floats:
        batched = len(given.shape) > clip.ndim
        found = opened.run(None, {given.name: clip[None] if batched else clip})
        return np.asarray(found[0], np.float32).reshape(-1)

    return run


def tflite_runner(path: Path) -> Runner:
    """Runs a TFLite file by its only signature, as the competition asked for.

    Exits when the file has none, or has operators that need TensorFlow itself (Flex).
    """
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    signatures = interpreter.get_signature_list()
    if len(signatures) != 1:
        raise SystemExit(f"{path}: expected one signature, found {list(signatures)}")
    try:
        signature = interpreter.get_signature_runner()
    except RuntimeError as error:
        raise SystemExit(f"{path}: TFLite cannot run it: {error}") from error
    ((name, given),) = signature.get_input_details().items()
    (out,) = signature.get_output_details()

    def run(clip: Floats) -> Floats:
        batched = len(given["shape"]) > clip.ndim
        found = signature(**{name: np.ascontiguousarray(clip[None] if batched else clip)})
        return np.asarray(found[out], np.float32).reshape(-1)

    return run


def runner(path: Path) -> Runner:
    """Runs a model file of either kind, told by its name."""
    return tflite_runner(path) if path.suffix == ".tflite" else onnx_runner(path)
