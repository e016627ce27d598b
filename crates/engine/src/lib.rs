//! The engine of `signd`: landmark frames of all cameras in, events out.
//!
//! ```text
//! frames, ticks ─▶ Pipeline: for each camera a core ▸ inference ─▶ events
//!       ▲                                                │
//!   recording ◀── replay plays it again           one Model for all
//! ```
//!
//! [`pipeline::Pipeline`] holds the cameras, each with a core from `signd-core`, and one model for all of
//! them. The daemon, replay and evaluation drive this same value, so a recording says what the live run
//! said. [`model`] opens ONNX files and holds them to a contract. [`inference`] turns rows into
//! hypotheses and decisions. [`recording`] is the file format, and [`replay`] plays it.
//!
//! The engine reads files and calls ONNX Runtime. It has no socket, no clock and no thread of its own.
//!
//! # Example
//!
//! Replay a recording and print its signs.
//!
//! ```
//! use std::path::Path;
//!
//! use signd_core::event::EventBody;
//! use signd_core::stream::CoreSettings;
//! use signd_engine::inference::Inference;
//! use signd_engine::inference::decide::{DecideSettings, SignDecider};
//! use signd_engine::model::{Model, OnnxRuntime};
//! use signd_engine::pipeline::Pipeline;
//! use signd_engine::replay::{RecordingPlayer, ReplayOutput};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir("../..")?;
//! let runtime = OnnxRuntime::load(Path::new("target/onnxruntime/libonnxruntime.so"))?;
//! let model = Model::open(&runtime, Path::new("models/signd.onnx"))?;
//! let decider = SignDecider::new(&DecideSettings::default(), model.card())?;
//! let mut pipeline = Pipeline::new(CoreSettings::default(), Inference::new(model, decider));
//! let mut replay = RecordingPlayer::new(&mut pipeline);
//!
//! let mut signs = 0;
//! let mut print = |told: ReplayOutput<'_>| {
//!     if let ReplayOutput::Event(event) = told
//!         && let EventBody::Sign(sign) = &event.body
//!     {
//!         let label = sign.label.and_then(|label| event.labels.name(usize::from(label)));
//!         println!("{}: {} ({:.2})", event.stream, label.unwrap_or("unknown"), sign.p);
//!         signs += 1;
//!     }
//!     Ok(())
//! };
//! replay.play(&std::fs::read("tests/recordings/signer.mcap")?, &mut print)?;
//! replay.end(&mut print)?;
//! assert!(signs > 0);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]
#![warn(clippy::missing_errors_doc, clippy::must_use_candidate)]

// Modules stand in the order of the data. Empty lines keep rustfmt from sorting across the groups.

// What answers.
pub mod model;

pub mod inference;

// What holds all cameras.
pub mod pipeline;

// What is kept, and played again.
pub mod digest;

pub mod file_kind;

pub mod recording;

pub mod replay;

#[cfg(test)]
mod test_models;
