//! The benchmark of continuous streams: a camera that never stops.
//!
//! The modules in the order of the data:
//!
//! 1. [`index`] reads from each line of a list what a recording is for.
//! 2. [`compose`] makes streams of the recordings. A stream is a [`track`] of landmarks with its
//!    [`truth`], which is signs that each last for a [`span`] of time.
//! 3. [`camera`] delivers a stream at some frame rate, clean or with faults.
//! 4. [`judge`] plays it through the daemon's own pipeline, and through a peer.
//! 5. [`score`] compares the decisions with the truth and sums up.
//! 6. [`report`] writes it down.
//!
//! [`benchmark`] does steps 2 to 5 for each stream. [`selection`] answers the questions of the reports.
//! [`lessons`] writes what a tagger is trained on. Everything follows from one seed.

pub mod benchmark;
pub mod camera;
pub mod compose;
pub mod index;
pub mod judge;
pub mod lessons;
pub mod report;
pub mod score;
pub mod selection;
pub mod span;
pub mod track;
pub mod truth;
