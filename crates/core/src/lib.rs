//! The core of `signd`: landmark frames in, the consequences of each out.

pub mod continuity;
pub mod drop_reason;
pub mod event;
pub mod features;
pub mod frame;
pub mod gate;
pub mod plausibility;
pub mod segment;
pub mod signer;
pub mod stream;
pub mod stream_id;
pub mod wire;
