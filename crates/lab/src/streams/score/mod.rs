//! What was decided, compared with what is true, and summed up.

pub mod boundaries;
pub mod figures;
pub mod order;
pub mod stream_score;
pub mod trade;

#[cfg(test)]
mod tests;
