//! What joins the stages: rings between threads, what is counted, and what the outside is told of it.
//!
//! Nothing in here knows a stage. The stages use it, and [`crate::run`] wires them together.

pub mod counters;
pub mod doubts;
pub mod flow;
pub mod histogram;
pub mod notify;
pub mod progress;
pub mod refusals;
pub mod roster;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use signd_core::frame::ArrivalTime;

use counters::DaemonCounters;
use progress::PipelineProgress;

/// What is seen of the stages from outside.
#[derive(Clone, Debug, Default)]
pub struct StageMonitor {
    /// What they count.
    pub counters: Arc<DaemonCounters>,
    /// Whether they get on.
    pub progress: Arc<PipelineProgress>,
}

/// Now, by this machine's clock.
pub fn now() -> ArrivalTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ArrivalTime(since.as_nanos() as u64)
}
