//! Looking inside.

pub mod scene;
