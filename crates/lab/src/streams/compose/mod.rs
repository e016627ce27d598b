//! Streams whose truth is known, made of recordings.

pub mod extent;
pub mod image;
pub mod join;
pub mod library;
pub mod plan;
pub mod real;
pub mod rest;
pub mod transition;
pub mod visits;
