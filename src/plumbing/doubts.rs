//! What was doubtful about the input, counted and logged: once for each stream and reason.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use signd_core::plausibility::InputDoubt;
use signd_core::stream_id::StreamId;

/// How often each doubt was raised.
#[derive(Debug, Default)]
pub struct DoubtCounts([AtomicU64; InputDoubt::ALL.len()]);

impl DoubtCounts {
    /// A stream gave rise to a doubt, with an example for [`InputDoubt::found`].
    pub fn count(&self, doubt: InputDoubt, stream: &StreamId, example: [f32; 2]) {
        self.0[doubt as usize].fetch_add(1, Relaxed);
        let (reason, stream, found) = (doubt.name(), stream.as_str(), doubt.found(example));
        let (expected, remedy) = (doubt.expected(), doubt.camera_remedy());
        tracing::warn!(reason, stream, "{found}. Expected {expected}. To mend it: {remedy}");
    }

    /// Each doubt and how often it was raised.
    pub fn all(&self) -> [(InputDoubt, u64); InputDoubt::ALL.len()] {
        InputDoubt::ALL.map(|doubt| (doubt, self.0[doubt as usize].load(Relaxed)))
    }
}
