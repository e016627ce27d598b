//! The core of `signd`: frames of body landmarks in, and what each of them changed out.
//!
//! ```text
//! frame ─▶ continuity ▸ plausibility ▸ signer ▸ gate ▸ features ▸ segment ─▶ steps
//!          next one?    a person?      where?   hand   rows       signs
//!          └───────────────────── one Stream for each camera ─────────────┘
//! ```
//!
//! [`stream::Stream`] is the whole of it. It is a value: it takes a frame or a tick and appends to a
//! batch what that changed. It finds where signs begin and end, and makes the rows of numbers that a
//! model reads. It knows no clock, thread, socket or file. What a sign means is the engine's work, in
//! the crate `signd-engine`.
//!
//! Time is data. A frame brings its capture time and its arrival. What a clock decides, such as that a
//! camera has fallen silent, is a [`stream::Tick`]. The same frames and ticks give the same steps, bit
//! for bit, live or from a recording.
//!
//! What is missing is `NaN`, from the frame to the row, and never zero.
//!
//! # Example
//!
//! A hand comes up, makes a sign, and is lowered. The core says where the sign was.
//!
//! ```
//! use signd_core::features::grid::RowKind;
//! use signd_core::frame::{ArrivalTime, Frame, SourceTime};
//! use signd_core::stream::{CoreSettings, StepBatch, Stream, StreamStep, Tick};
//!
//! # fn estimate(i: u64) -> [[f32; 3]; 543] {
//! #     let mut points = [[f32::NAN; 3]; 543];
//! #     points[489..522].fill([0.5, 0.5, 0.0]);
//! #     for (k, y) in [(0, 0.2), (11, 0.4), (12, 0.4), (15, 0.95), (16, 0.95), (23, 0.9), (24, 0.9)] {
//! #         points[489 + k] = [if k % 2 == 1 { 0.6 } else { 0.4 }, y, 0.0];
//! #     }
//! #     let up = (10..40).contains(&i);
//! #     let y = if up { 0.45 + 0.05 * (i as f32).sin() } else { 0.95 };
//! #     for k in 0..21 {
//! #         points[522 + k] = [0.4 + 0.004 * k as f32, y - 0.003 * k as f32, 0.0];
//! #     }
//! #     points
//! # }
//! let mut stream = Stream::new(&CoreSettings::default(), RowKind::Landmarks);
//! let mut batch = StepBatch::default();
//! let mut signs = Vec::new();
//! for i in 0..60 {
//!     let t = i * 33_333_333; // 30 frames a second, in nanoseconds
//!     let mut frame = Frame::new(i, SourceTime(t), 640, 480);
//!     frame.set_points(&estimate(i)); // the 543 landmarks of MediaPipe Holistic
//!     batch.clear();
//!     stream.push(&frame, ArrivalTime(t), &mut batch);
//!     for step in &batch.steps {
//!         println!("frame {i}: {step:?}");
//!         if let StreamStep::End(sign) = step {
//!             signs.push((sign.start_seq, sign.end_seq));
//!         }
//!     }
//! }
//! batch.clear();
//! stream.tick(Tick::End, &mut batch); // ends a sign that is still open
//! assert_eq!(signs, [(12, 37)]);
//! ```

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unwrap_used))]
#![warn(clippy::missing_errors_doc, clippy::must_use_candidate)]

// Modules stand in the order of the data. Empty lines keep rustfmt from sorting across the groups.

// Values: what comes in, what goes out, and their form on the wire.
pub mod stream_id;

pub mod frame;

pub mod event;

pub mod wire;

// Stages, as a frame passes them.
pub mod continuity;

pub mod plausibility;

pub mod signer;

pub mod gate;

pub mod features;

pub mod segment;

// All of them together, for one camera.
pub mod stream;

// Why a frame went no further.
pub mod drop_reason;
