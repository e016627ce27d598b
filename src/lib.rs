//! `signd`: landmark frames in, sign-language label events out.

pub mod continuity;
pub mod event;
pub mod features;
pub mod segment;
pub mod frame;
pub mod gate;
pub mod wire;
