//! What inference knows of one camera: its latest rows, the open sign, and what was said of it.

use signd_core::event::{
    EndReason, EventBody, FrameEvent, Hypotheses, SignEvent, SignState, StatusEvent, StatusKind,
    StatusReason,
};
use signd_core::features::grid::RowKind;
use signd_core::segment::{Segment, SegmentStart};
use signd_core::stream::{StepBatch, StreamStep};

use super::Inference;
use super::decide::{SignDecider, SignDecision};
use super::early::EarlyDecision;
use super::model_state::ModelState;
use super::window::RowWindow;
use crate::model::{Model, ModelError};

/// Inference of one camera.
pub struct CameraInference {
    window: RowWindow,
    /// The open sign.
    open: Option<EarlyDecision>,
    /// How far the open sign has been fed to a `stream` model.
    state: Option<ModelState>,
    top: Hypotheses,
    top_seq: Option<u64>,
    decisions: u64,
}

impl CameraInference {
    /// Nothing known yet.
    pub fn new(model: &Model) -> Self {
        let window = RowWindow::new(model.row_width(), model.window());
        let state = match (model.state_size(), &model.card().kind) {
            (Some(size), RowKind::Features { rate, .. }) => Some(ModelState::new(size, *rate)),
            _ => None,
        };
        CameraInference {
            window,
            open: None,
            state,
            top: Hypotheses::new(),
            top_seq: None,
            decisions: 0,
        }
    }

    /// Forgets every row, as [`signd_core::stream::Stream::adopt`] does. Decisions go on counting.
    pub fn restart(&mut self, model: &Model) {
        *self = CameraInference { decisions: self.decisions, ..CameraInference::new(model) };
    }

    /// The next row of the open sign waits to be fed: the row, and the state of the model before it.
    pub fn next_row(&self) -> Option<(&[f32], &[f32])> {
        let state = self.state.as_ref().filter(|_| self.open.is_some())?;
        let next = state.next();
        (next < self.window.end()).then(|| (self.window.rows(next, next), state.values()))
    }

    /// The next row has been fed. `values` is the state of the model after it.
    pub fn fed(&mut self, values: &[f32], answer: Hypotheses) {
        if let Some(state) = &mut self.state {
            state.fed(values, answer);
        }
    }

    /// Takes the steps of a batch until a row waits to be fed. `taken` counts those that are done.
    /// `fresh` is false where a window model is not to be asked for hypotheses about an open sign.
    pub fn take(
        &mut self,
        Inference { model, decider }: &mut Inference,
        batch: &StepBatch,
        taken: &mut usize,
        fresh: bool,
        mut emit: impl FnMut(EventBody),
    ) -> Result<(), ModelError> {
        while self.next_row().is_none() {
            let Some(step) = batch.steps.get(*taken) else { break };
            *taken += 1;
            match *step {
                StreamStep::Rows(first) => self.window.extend(first, &batch.rows),
                StreamStep::Begin(begin) => self.begin(begin, batch.seq),
                StreamStep::Drop => self.drop(),
                StreamStep::End(segment) => {
                    let Some(open) = self.open.filter(|open| !open.decided) else { continue };
                    let top = match &self.state {
                        Some(state) => state.answer(segment.end_row),
                        None => {
                            let rows = self.window.rows(open.begin.row, segment.end_row);
                            decider.hypotheses(model.run(rows)?)
                        }
                    };
                    let decision = decider.decide(top, segment.presence);
                    emit(EventBody::Sign(self.decided(decision, segment)));
                }
                StreamStep::Frame { state, hand, lost } => {
                    let mut top_seq = Some(batch.seq);
                    if let Some(open) = &self.open {
                        if let Some(state) = &self.state {
                            self.top = state.answer(u64::MAX);
                            self.top_seq = top_seq;
                        } else if fresh {
                            let rows = self.window.rows(open.begin.row, u64::MAX);
                            self.top = decider.hypotheses(model.run(rows)?);
                            self.top_seq = top_seq;
                        }
                        top_seq = self.top_seq;
                    }
                    emit(EventBody::Frame(FrameEvent {
                        seq: batch.seq,
                        t: batch.t,
                        state,
                        hand,
                        top: self.top.clone(),
                        top_seq,
                        lost,
                    }));
                    if let Some(sign) = self.early(decider, batch, state, lost) {
                        emit(EventBody::Sign(sign));
                    }
                }
                StreamStep::Status(status, reason) => emit(status_of(batch, status, reason)),
                StreamStep::Doubt(doubt, _) => {
                    emit(status_of(batch, StatusKind::Doubtful, StatusReason::Doubt(doubt)));
                }
            }
        }
        Ok(())
    }

    /// With the frame of this number a sign begins, again perhaps.
    fn begin(&mut self, begin: SegmentStart, seq: u64) {
        self.drop();
        self.open = Some(EarlyDecision::new(begin, seq));
        if let Some(state) = &mut self.state {
            state.begin(begin.row.max(self.window.first()));
        }
    }

    fn drop(&mut self) {
        self.open = None;
        self.top.clear();
        self.top_seq = None;
    }

    /// The open sign, if it is to be decided with this frame, before its end.
    fn early(
        &mut self,
        decider: &SignDecider,
        batch: &StepBatch,
        state: SignState,
        lost: u64,
    ) -> Option<SignEvent> {
        let patience = Some(decider.early_ms()).filter(|patience| *patience > 0.0)?;
        let open = self.open.as_mut().filter(|open| !open.decided)?;
        self.state.as_ref()?;
        open.count(batch.seq, lost);
        let decision = decider.decide(self.top.clone(), 1.0);
        if !open.push(batch.t, decision.label, state, patience) {
            return None;
        }
        let so_far = Segment {
            start_seq: open.begin.seq,
            end_seq: batch.seq,
            start_t: open.begin.t,
            end_t: batch.t,
            end_row: self.window.end(),
            lost: open.lost,
            ended: EndReason::Early,
            presence: 1.0,
        };
        Some(self.decided(decision, so_far))
    }

    /// The next decision.
    fn decided(&mut self, decision: SignDecision, segment: Segment) -> SignEvent {
        let SignDecision { label, unknown, p, threshold, top } = decision;
        let Segment { start_seq, end_seq, start_t, end_t, lost, ended, .. } = segment;
        let id = self.decisions;
        self.decisions += 1;
        SignEvent {
            id,
            label,
            unknown,
            p,
            threshold,
            top,
            start_seq,
            end_seq,
            start_t,
            end_t,
            lost,
            ended,
        }
    }
}

fn status_of(batch: &StepBatch, status: StatusKind, reason: StatusReason) -> EventBody {
    EventBody::Status(StatusEvent { status, seq: batch.seq, t: batch.t, reason })
}
