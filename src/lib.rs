//! The daemon of `signd`: landmark frames in at its sockets, sign-language label events out.
//!
//! ```text
//! cameras ─▶ ingest ─ring─▶ run::worker ──────────────▶ publish ─┬▶ subscribers
//!            socket         signd_engine::pipeline               ├▶ record (a file)
//!            keys                                                └▶ observe (a page)
//! ```
//!
//! The modules stand in the order of the data, and below them what all of them use. What a frame means
//! is decided in [`signd_core`], what a sign is in [`signd_engine`]. This crate has the sockets, threads
//! and clocks. The commands are in the binary.

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

// Settings come first, and everything is wired last.
pub mod config;

pub mod ingest;
// The pipeline of `signd_engine` is here.
pub mod publish;

pub mod observe;
pub mod recorder;

pub mod run;

// Ground floor.
pub mod endpoint;
pub mod keys;
pub mod output;
pub mod plumbing;
pub mod socket;
