//! One frame or tick on its way through the pipeline.

use signd_core::stream::{StepBatch, StreamStep};
use signd_core::stream_id::StreamId;

/// What a frame or a tick changed in the core, and how far inference has taken it. Reused from frame to
/// frame, it allocates nothing.
#[derive(Debug, Default)]
pub struct StreamWork {
    pub(super) stream: StreamId,
    /// The camera's place in the pipeline, until inference is done with it.
    pub(super) camera: Option<usize>,
    /// The camera is gone.
    pub(super) last: bool,
    pub(super) batch: StepBatch,
    /// Steps of the batch that inference has taken.
    pub(super) taken: usize,
}

impl StreamWork {
    pub(super) fn begin(&mut self, stream: StreamId) {
        self.stream = stream;
        self.camera = None;
        self.last = false;
        self.batch.clear();
        self.taken = 0;
    }

    /// The stream it belongs to.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// What the core made of it.
    #[must_use]
    pub fn batch(&self) -> &StepBatch {
        &self.batch
    }

    /// It is a frame that has its place in the stream.
    #[must_use]
    pub fn is_frame(&self) -> bool {
        self.batch.steps.iter().any(|step| matches!(step, StreamStep::Frame { .. }))
    }
}
