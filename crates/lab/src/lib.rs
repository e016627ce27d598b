//! The lab of `signd`: what trains and measures the daemon, and is no part of it.
//!
//! ```text
//! a landmark file, a recording ─▶ import ▸ clip ─▶ eval      one clip, one sign
//!                                             └──▶ streams   clips composed to hours of signing
//! ```
//!
//! A *clip* is a short recording of one sign, cut by hand. [`eval`] asks a model what each clip of a
//! list shows. [`streams`] joins clips to continuous streams whose truth is known, plays them through
//! the daemon's own pipeline, and measures what it found. Both write their figures to the terminal, as
//! JSON and as an HTML page.
//!
//! Two runs give the same bytes. Nothing depends on a clock or on where files lie, and every draw comes
//! from a seed ([`random`]).
//!
//! The animated signer, a program beside this library, makes recordings of a person who never existed.
//!
//! # Example
//!
//! The frames of a clip and their size. The clip may be of any format that [`import`] reads, or a
//! recording of `signd`.
//!
//! ```
//! use signd_lab::clip;
//! use signd_lab::import::ImportOverrides;
//!
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings/signer.mcap");
//! let (frames, losses) = clip::read(file.as_ref(), &ImportOverrides::default())?;
//! assert!(!losses.any());
//! println!("{} frames of {}x{} pixels", frames.len(), frames[0].width, frames[0].height);
//! # assert_eq!((frames.len() > 500, frames[0].width, frames[0].height), (true, 640, 480));
//! # Ok::<(), signd_lab::clip::ClipError>(())
//! ```

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

pub mod import;

pub mod clip;

pub mod eval;

pub mod streams;

pub mod random;
