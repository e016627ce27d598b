//! A small model in both of its forms; see `tests/models/pace.py`.

/// Its stream form.
pub const PACE_STREAM: &str = "pace-stream.onnx";
/// Its window form.
pub const PACE_WINDOW: &str = "pace-window.onnx";
