//! Stage 5, *inference*: rows to hypotheses and decisions.
//!
//! Every frame inside a sign gets the hypotheses for the sign so far; every sign that ends is
//! decided. When inference is behind, a frame may repeat the last hypotheses (`top_seq` says so),
//! but no decision is ever skipped. One row or window a call: nothing shares a call, so nothing can
//! change its answer.

pub mod decide;
pub mod model;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{Body, Event, FrameEvent, SignEvent, StatusEvent, Top};
use crate::features::grid::RowKind;
use crate::stream::{Batch, Step};
use crate::wire::topic::StreamId;
use decide::Decider;
use model::{Model, ModelError};
use window::Window;

/// The inference stage: one model, one window of rows per stream.
pub struct Infer {
    model: Model,
    decider: Decider,
    streams: HashMap<StreamId, Signer>,
}

/// What inference knows of one stream.
struct Signer {
    window: Window,
    /// First row of the open sign.
    begin: Option<u64>,
    top: Top,
    top_seq: Option<u64>,
    decisions: u64,
}

impl Signer {
    fn new(width: usize, window: usize) -> Self {
        let window = Window::new(width, window);
        Signer { window, begin: None, top: Top::new(), top_seq: None, decisions: 0 }
    }
}

impl Infer {
    /// Inference with this model.
    pub fn new(model: Model, decider: Decider) -> Self {
        Infer { model, decider, streams: HashMap::new() }
    }

    /// Goes on with another model and other decisions. Open signs must have been ended before;
    /// decisions go on counting.
    pub fn adopt(&mut self, other: Infer) {
        (self.model, self.decider) = (other.model, other.decider);
        self.restart();
    }

    /// Forgets every row, as [`crate::stream::Stream::adopt`] does.
    pub fn restart(&mut self) {
        let (width, window) = (self.model.row_width(), self.model.window());
        for signer in self.streams.values_mut() {
            *signer = Signer { decisions: signer.decisions, ..Signer::new(width, window) };
        }
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.model.card().digest
    }

    /// What the model's rows hold.
    pub fn row_kind(&self) -> RowKind {
        self.model.card().kind.clone()
    }

    /// Takes a batch; hands its events to `emit`, in order. `newest` is false when a later batch
    /// of the same stream already waits: then hypotheses are not computed for this one.
    pub fn push(
        &mut self,
        stream: &StreamId,
        batch: &Batch,
        newest: bool,
        mut emit: impl FnMut(Event),
    ) -> Result<(), ModelError> {
        let (width, window) = (self.model.row_width(), self.model.window());
        let signer = self.streams.entry(*stream);
        let signer = signer.or_insert_with(|| Signer::new(width, window));
        let labels = Arc::clone(self.model.labels());
        let mut emit = |body| emit(Event { stream: *stream, body, labels: Arc::clone(&labels) });
        for step in &batch.steps {
            match *step {
                Step::Rows(first) => signer.window.extend(first, &batch.rows),
                Step::Begin(row) => {
                    signer.begin = Some(row);
                    signer.top.clear();
                    signer.top_seq = None;
                }
                Step::Drop => {
                    signer.begin = None;
                    signer.top.clear();
                    signer.top_seq = None;
                }
                Step::End(segment) => {
                    let Some(begin) = signer.begin else { continue };
                    let rows = signer.window.rows(begin, segment.end_row);
                    let decision = self.decider.decide(self.model.run(rows)?);
                    emit(Body::Sign(SignEvent {
                        id: signer.decisions,
                        label: decision.label,
                        p: decision.p,
                        top: decision.top,
                        start_seq: segment.start_seq,
                        end_seq: segment.end_seq,
                        start_t: segment.start_t,
                        end_t: segment.end_t,
                        lost: segment.lost,
                        ended: segment.ended,
                    }));
                    signer.decisions += 1;
                }
                Step::Frame { state, hand, lost } => {
                    let mut top_seq = Some(batch.seq);
                    if let Some(begin) = signer.begin {
                        if newest {
                            let rows = signer.window.rows(begin, u64::MAX);
                            signer.top = self.decider.top(self.model.run(rows)?);
                            signer.top_seq = top_seq;
                        }
                        top_seq = signer.top_seq;
                    }
                    emit(Body::Frame(FrameEvent {
                        seq: batch.seq,
                        t: batch.t,
                        state,
                        hand,
                        top: signer.top.clone(),
                        top_seq,
                        lost,
                    }));
                }
                Step::Status(status, reason) => {
                    emit(Body::Status(StatusEvent { status, seq: batch.seq, t: batch.t, reason }));
                }
            }
        }
        Ok(())
    }

    /// Forgets a stream that is gone.
    pub fn forget(&mut self, stream: &StreamId) {
        self.streams.remove(stream);
    }
}
