//! All integration tests in one binary, so that the daemon's libraries are linked once.
//!
//! They share one process and run side by side. A test therefore sets no environment variable and no
//! working directory of its own process. ONNX Runtime is loaded once, by `common::models`.
//! `allocations.rs` is a binary of its own, because its allocator counts.

mod common;

// What may know what.
mod circles;
mod structure;

// Frames and what is made of them.
mod damaged_streams;
mod handedness;
mod mutations;
mod plausibility;

// Models, recordings and replay.
mod contracts;
mod inference;
mod recording;
mod replay;
mod unplayed;

// The daemon through its sockets and signals.
mod client;
mod daemon;
mod ingest;
mod inputs;
mod notify;
mod places;
mod recorded_people;
mod watch;

// Keys.
mod endpoints;
mod handshakes;
mod key_flags;
mod keys;

// What the daemon shows.
mod http;
mod page;
mod status;

// Other commands.
mod causes;
mod doctor;
mod eval;
mod eval_streams;
mod features;
mod import_recordings;
mod outputs;

// The files beside the program.
mod operations;
mod unit_file;
