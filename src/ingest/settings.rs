//! What ingest is told to do.

use std::time::Duration;

use crate::endpoint::InputEndpoint;

/// Settings of ingest.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestSettings {
    /// Where frames come in; at least one.
    pub inputs: Vec<InputEndpoint>,
    /// Which streams there may be.
    pub limits: StreamLimits,
}

/// How many streams there may be, and how long a silent one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Most streams at once.
    pub max_streams: usize,
    /// Silence after which a stream is stalled.
    pub stall: Duration,
    /// Silence after which a stream is gone; not shorter.
    pub gone: Duration,
}
