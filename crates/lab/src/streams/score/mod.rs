//! Decisions compared with the truth, and summed up.
//!
//! [`stream_score`] scores one stream, with the [`boundaries`] of its signs and the [`order`] of its
//! glosses. [`figures`] are sums over streams. [`trade`] is what other thresholds would have given.

pub mod boundaries;
pub mod figures;
pub mod order;
pub mod stream_score;
pub mod trade;

#[cfg(test)]
mod tests;
