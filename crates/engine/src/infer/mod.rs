//! Stage 5, *inference*: rows to hypotheses and decisions.
//!
//! Every frame inside a sign gets the hypotheses for the sign so far; every sign that ends is
//! decided. A model of a *window* contract (`features`, `landmarks`) is asked about all rows of the
//! sign at once, one sign a call; when inference is behind, a frame may repeat the last hypotheses
//! (`top_seq` says so), but no decision is ever skipped. A `stream` model is fed every row, in order,
//! always, and rows of several streams share a call; [`model`] sees to it that they do not change
//! each other's answers.

mod course;
pub mod decide;
mod early;
pub mod model;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use course::Course;
use decide::Decider;
use early::Early;
use model::{Card, Model, ModelError};
use signd_core::event::{
    Body, Ended, Event, FrameEvent, Reason, SignEvent, State, Status, StatusEvent, Top,
};
use signd_core::features::grid::RowKind;
use signd_core::segment::Begin;
use signd_core::stream::{Batch, Needs, Step};
use signd_core::stream_id::StreamId;
use window::Window;

/// The inference stage: one model, and what it needs to know of each stream.
pub struct Infer {
    model: Model,
    decider: Decider,
    streams: HashMap<StreamId, Signer>,
    /// Streams with rows to be fed, the one that waits longest first.
    hungry: Vec<StreamId>,
    /// Their rows and states in one call.
    rows: Vec<f32>,
    states: Vec<f32>,
}

/// What inference knows of one stream.
struct Signer {
    window: Window,
    /// The open sign.
    open: Option<Early>,
    /// How far the open sign has been fed to a `stream` model.
    course: Option<Course>,
    top: Top,
    top_seq: Option<u64>,
    decisions: u64,
}

impl Signer {
    fn new(model: &Model) -> Self {
        let window = Window::new(model.row_width(), model.window());
        let course = match (model.state_size(), &model.card().kind) {
            (Some(size), RowKind::Features { rate, .. }) => Some(Course::new(size, *rate)),
            _ => None,
        };
        Signer { window, open: None, course, top: Top::new(), top_seq: None, decisions: 0 }
    }

    /// With the frame of this number a sign begins, again perhaps.
    fn begin(&mut self, begin: Begin, seq: u64) {
        self.drop();
        self.open = Some(Early::new(begin, seq));
        if let Some(course) = &mut self.course {
            course.begin(begin.row.max(self.window.first()));
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
        decider: &Decider,
        batch: &Batch,
        state: State,
        lost: u64,
    ) -> Option<SignEvent> {
        let patience = Some(decider.early_ms()).filter(|patience| *patience > 0.0)?;
        let open = self.open.as_mut().filter(|open| !open.said)?;
        self.course.as_ref()?;
        open.count(batch.seq, lost);
        let decision = decider.decide(self.top.clone(), 1.0);
        if !open.push(batch.t, decision.label, state, patience) {
            return None;
        }
        let id = self.decisions;
        self.decisions += 1;
        Some(SignEvent {
            id,
            label: decision.label,
            unknown: decision.unknown,
            p: decision.p,
            threshold: decision.threshold,
            top: decision.top,
            start_seq: open.begin.seq,
            end_seq: batch.seq,
            start_t: open.begin.t,
            end_t: batch.t,
            lost: open.lost,
            ended: Ended::Early,
        })
    }

    /// Rows of the open sign are to be fed.
    fn is_hungry(&self) -> bool {
        let next = self.course.as_ref().filter(|_| self.open.is_some()).map(Course::next);
        next.is_some_and(|next| next < self.window.end())
    }
}

impl Infer {
    /// Inference with this model.
    pub fn new(model: Model, decider: Decider) -> Self {
        let (streams, hungry) = (HashMap::new(), Vec::new());
        Infer { model, decider, streams, hungry, rows: Vec::new(), states: Vec::new() }
    }

    /// Goes on with another model and other decisions. Open signs must have been ended before;
    /// decisions go on counting.
    pub fn adopt(&mut self, other: Infer) {
        (self.model, self.decider) = (other.model, other.decider);
        self.restart();
    }

    /// Forgets every row, as [`signd_core::stream::Stream::adopt`] does.
    pub fn restart(&mut self) {
        self.hungry.clear();
        for signer in self.streams.values_mut() {
            *signer = Signer { decisions: signer.decisions, ..Signer::new(&self.model) };
        }
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.model.card().digest
    }

    /// What the model file says of itself.
    pub fn card(&self) -> &Card {
        self.model.card()
    }

    /// The model in a few words, for people.
    pub fn describe(&self) -> String {
        let card = self.model.card();
        format!("model {} ({:.12}), {} labels", card.name, card.digest, card.labels.names.len())
    }

    /// What the model asks of the core.
    pub fn needs(&self) -> Needs {
        self.model.card().needs()
    }

    /// Takes a batch; hands its events to `emit`, in order. `newest` is false when a later batch
    /// of the same stream already waits: then a window model is not asked for hypotheses.
    pub fn push(
        &mut self,
        stream: &StreamId,
        batch: &Batch,
        newest: bool,
        mut emit: impl FnMut(Event),
    ) -> Result<(), ModelError> {
        let mut taken = 0;
        while !self.advance(stream, batch, &mut taken, newest, &mut emit)? {
            self.feed()?;
        }
        Ok(())
    }

    /// The same, but only until the stream has rows to be fed: then false, and [`Infer::feed`] is to
    /// be called before the rest. Between the two other streams may be advanced, so that their rows
    /// share the call. `taken` counts the steps of the batch that are done.
    pub fn advance(
        &mut self,
        stream: &StreamId,
        batch: &Batch,
        taken: &mut usize,
        newest: bool,
        mut emit: impl FnMut(Event),
    ) -> Result<bool, ModelError> {
        let signer = self.streams.entry(*stream);
        let signer = signer.or_insert_with(|| Signer::new(&self.model));
        if signer.is_hungry() {
            return Ok(false);
        }
        let labels = Arc::clone(self.model.labels());
        let mut emit = |body| emit(Event { stream: *stream, body, labels: Arc::clone(&labels) });
        for step in &batch.steps[*taken..] {
            *taken += 1;
            match *step {
                Step::Rows(first) => signer.window.extend(first, &batch.rows),
                Step::Begin(begin) => signer.begin(begin, batch.seq),
                Step::Drop => signer.drop(),
                Step::End(segment) => {
                    let Some(open) = signer.open.filter(|open| !open.said) else { continue };
                    let top = match &signer.course {
                        Some(course) => course.answer(segment.end_row),
                        None => {
                            let rows = signer.window.rows(open.begin.row, segment.end_row);
                            self.decider.top(self.model.run(rows)?)
                        }
                    };
                    let decision = self.decider.decide(top, segment.presence);
                    emit(Body::Sign(SignEvent {
                        id: signer.decisions,
                        label: decision.label,
                        unknown: decision.unknown,
                        p: decision.p,
                        threshold: decision.threshold,
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
                    if let Some(open) = &signer.open {
                        if let Some(course) = &signer.course {
                            signer.top = course.answer(u64::MAX);
                            signer.top_seq = top_seq;
                        } else if newest {
                            let rows = signer.window.rows(open.begin.row, u64::MAX);
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
                    if let Some(sign) = signer.early(&self.decider, batch, state, lost) {
                        emit(Body::Sign(sign));
                    }
                }
                Step::Status(status, reason) => {
                    emit(Body::Status(StatusEvent { status, seq: batch.seq, t: batch.t, reason }));
                }
                Step::Doubt(doubt, _) => emit(Body::Status(StatusEvent {
                    status: Status::Doubtful,
                    seq: batch.seq,
                    t: batch.t,
                    reason: Reason::Doubt(doubt),
                })),
            }
            if signer.is_hungry() {
                self.hungry.push(*stream);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Feeds the next row of every stream that has one, all in one call.
    pub fn feed(&mut self) -> Result<(), ModelError> {
        self.rows.clear();
        self.states.clear();
        for stream in &self.hungry {
            if let Some((window, course)) = course_of(&mut self.streams, stream) {
                self.rows.extend_from_slice(window.rows(course.next(), course.next()));
                self.states.extend_from_slice(course.state());
            }
        }
        let size = self.model.state_size().unwrap_or(1);
        let count = self.model.labels().names.len();
        let logits = self.model.step(&self.rows, &mut self.states)?;
        let answers = logits.chunks(count).zip(self.states.chunks(size));
        for (stream, (logits, state)) in self.hungry.iter().zip(answers) {
            if let Some((_, course)) = course_of(&mut self.streams, stream) {
                course.fed(state, self.decider.top(logits));
            }
        }
        let streams = &self.streams;
        self.hungry.retain(|stream| streams.get(stream).is_some_and(Signer::is_hungry));
        Ok(())
    }

    /// Forgets a stream that is gone.
    pub fn forget(&mut self, stream: &StreamId) {
        self.streams.remove(stream);
        self.hungry.retain(|hungry| hungry != stream);
    }
}

fn course_of<'a>(
    streams: &'a mut HashMap<StreamId, Signer>,
    stream: &StreamId,
) -> Option<(&'a Window, &'a mut Course)> {
    let Signer { window, course, .. } = streams.get_mut(stream)?;
    Some((window, course.as_mut()?))
}
