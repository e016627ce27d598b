//! The benchmark of continuous streams: a camera that never stops.
//!
//! [`index`] reads from each line what a recording is for; [`source`] makes streams of known truth of
//! them: [`compose`]d of clips with [`rest`] between, the sign in each found by [`truth`]; people who
//! make no known sign; real sentences. [`trouble`] has a camera of some frame rate deliver each, clean
//! and disturbed. [`drive`] plays that through the daemon's own core and inference, [`peer`] through a
//! clip model on a sliding window; [`measure`] compares with the truth and [`figures`] sums up.
//! [`rows`] writes down what a tagger is taught from. [`bench`] does all of it in order. Everything follows from the seed: two runs give the same bytes.

pub mod bench;
pub mod compose;
pub mod drive;
pub mod figures;
pub mod index;
pub mod measure;
pub mod peer;
pub mod rest;
pub mod rows;
pub mod source;
pub mod track;
pub mod trouble;
pub mod truth;
