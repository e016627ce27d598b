//! Streams of known truth, made of recordings.
//!
//! 1. [`library`] learns where the sign of each clip is ([`extent`]) and how its signer rests ([`rest`]).
//! 2. [`plan`] says what each stream is made of. For clips it deals them out to [`visits`].
//! 3. [`join`] joins clips to a stream, with rests and a [`transition`] between any two. [`image`] is
//!    what its camera sees. [`real`] takes a recording as it is.

pub mod extent;
pub mod image;
pub mod join;
pub mod library;
pub mod plan;
pub mod real;
pub mod rest;
pub mod transition;
pub mod visits;
