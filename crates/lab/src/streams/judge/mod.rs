//! Judges of streams: the daemon's own pipeline, and the peer that it is compared with.

pub mod folds;
pub mod peer;
pub mod stream_judge;
pub mod trace;
