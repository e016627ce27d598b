//! The laboratory of `signd`: clips from other formats, evaluation, the benchmark of streams.

pub mod clip;
pub mod eval;
pub mod import;
pub mod random;
pub mod streams;
