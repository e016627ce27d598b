//! Where the signer is in a frame: [`space`] finds the shoulders, origin and unit of everything, and
//! [`hands`] says which part of the frame shows which hand.

pub mod hands;
pub mod space;

pub use hands::{Hands, Repair};
pub use space::{Shoulders, Space};
