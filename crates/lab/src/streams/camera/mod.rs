//! The camera between a signer and the daemon.

pub mod delivery;
pub mod faults;
