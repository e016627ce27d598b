//! The engine of `signd`: models, inference, recording and replay.

pub mod model;

pub mod inference;

pub mod pipeline;

pub mod digest;
pub mod file_kind;
pub mod recording;
pub mod replay;

#[cfg(test)]
mod test_models;
