//! Where the signer is in a frame: [`space`] finds the shoulders, origin and unit of everything, and
//! [`hands`] says which part of the frame shows which hand.

pub mod hands;
pub mod space;

pub use hands::{HandParts, HandRepair};
pub use space::{ShoulderTracker, SignerSpace};
