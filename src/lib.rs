//! `signd`: landmark frames in, sign-language label events out.

pub mod continuity;
pub mod event;
pub mod features;
pub mod segment;
pub mod stream;
pub mod infer;
pub mod ingest;
pub mod publish;
pub mod run;
pub mod config;
pub mod import;
pub mod recording;
pub mod replay;
pub mod cli;
pub mod frame;
pub mod gate;
pub mod wire;
