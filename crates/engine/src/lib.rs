//! The engine of `signd`: models, inference, recording and replay.

pub mod file_kind;
pub mod infer;
pub mod recording;
pub mod replay;
