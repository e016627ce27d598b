//! Stage 3, *features*: landmarks to rows of numbers that say what a sign is made of.
//!
//! In the order of the data: [`placement`] expresses the landmarks that matter in signer space, mirrored
//! so that the dominant hand is always the right one; [`grid`] resamples them by capture time to the
//! model's own rate, so that 15 and 60 frames a second mean the same; a [`schema`] says which of them a
//! row has.
//!
//! A row holds places and nothing that follows from the sign so far. Only inference knows where a sign
//! began. So the model's own graph centres the rows of a sign on the mean place of the lips, scales them by
//! their spread, and takes changes from row to row.
//!
//! What is missing stays `NaN` through all of it. A model's graph turns `NaN` into a mask itself.

pub mod grid;
pub mod placement;
pub mod schema;

pub use grid::RowBuilder;
pub use placement::PlacedLandmarks;
pub use schema::Schema;
