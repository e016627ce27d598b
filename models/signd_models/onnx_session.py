"""ONNX files as the daemon runs them: on one thread of the CPU."""

import os
from pathlib import Path

import onnxruntime

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Opens an ONNX file, or what such a file holds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
