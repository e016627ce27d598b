//! Streams whose truth is known, made of recordings.

pub mod extent;
pub mod image;
pub mod join;
pub mod library;
pub mod real;
pub mod rest;
pub mod source;
pub mod visits;
pub mod way;
