//! Looking inside.

pub mod scene;
pub mod shelf;
