//! The public contract: bytes to frames, events to bytes, and the topics they travel under.
//!
//! `docs/wire-format.md` states the same for people who write clients. Nothing in here knows a
//! socket; whoever holds two message parts can use it.

pub mod events;
pub mod landmarks;
pub mod topic;

/// The version of the contract, `v` in every message.
pub const VERSION: u64 = 1;
