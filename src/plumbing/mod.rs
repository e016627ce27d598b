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

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use signd_core::event::RunId;
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

/// An id for a run that begins, another one at each call.
pub fn draw_run_id() -> RunId {
    // The standard library seeds its hash maps from the system's random numbers.
    RunId::new(RandomState::new().hash_one(std::process::id()) as u32)
}

/// Now, by this machine's clock.
pub fn now() -> ArrivalTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ArrivalTime(since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    // smg#2076: ids that begin anew must be told from a loss.
    #[test]
    fn every_run_draws_an_id_of_its_own() {
        assert_ne!(draw_run_id(), draw_run_id());
    }
}
