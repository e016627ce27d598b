//! The benchmark of continuous streams: a camera that never stops.
//!
//! The modules stand in the order of the data:
//!
//! 1. [`index`] reads from each line of a list what a recording is for.
//! 2. [`compose`] makes streams of the recordings. A stream is a [`track`] of landmarks and its
//!    [`truth`]: signs that last for a [`span`] of time.
//! 3. [`camera`] delivers a stream at some frame rate, clean or with faults.
//! 4. [`judge`] plays it through the daemon's own core and inference, and through a peer.
//! 5. [`score`] compares the decisions with the truth and sums up.
//! 6. [`report`] writes it down.
//!
//! [`bench`] does 2 to 5 for each stream, and [`selection`] answers the reports. [`lessons`] are
//! what a tagger is taught from. Everything follows from the seed: two runs give the same bytes.

pub mod bench;
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
