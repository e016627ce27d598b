//! `signd`: landmark frames in, sign-language label events out.

pub mod cli;
pub mod clip;
pub mod config;
pub mod content;
pub mod continuity;
pub mod endpoint;
pub mod eval;
pub mod event;
pub mod features;
pub mod frame;
pub mod gate;
pub mod import;
pub mod infer;
pub mod ingest;
pub mod keys;
pub mod observe;
pub mod output;
pub mod plausibility;
pub mod publish;
pub mod recording;
pub mod replay;
pub mod run;
pub mod segment;
pub mod stream;
pub mod wire;
