//! `signd`: landmark frames in, sign-language label events out.

pub mod cli;
pub mod config;
pub mod endpoint;
pub mod ingest;
pub mod keys;
pub mod observe;
pub mod output;
pub mod plumbing;
pub mod publish;
pub mod record;
pub mod run;
pub mod socket;
