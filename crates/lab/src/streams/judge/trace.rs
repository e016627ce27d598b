//! The trace of a stream through the daemon's own pipeline: its decisions, and each frame as the pipeline
//! saw it. No thread is involved.

use signd_core::event::{EndReason, EventBody, SignState};
use signd_core::frame::{ArrivalTime, Frame, SourceTime};
use signd_core::stream::{StepBatch, StreamStep, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::inference::decide::sureness;
use signd_engine::model::ModelError;
use signd_engine::pipeline::{Pipeline, StreamWork};

use crate::streams::camera::delivery::START;
use crate::streams::span::TimeSpan;

/// A segment that was found, and what was decided about it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct StreamDecision {
    /// First and last moment of the segment, s.
    pub span: TimeSpan,
    /// Capture time of the frame with which the decision came out, s.
    pub at: f64,
    /// The decided output. None when it is no known sign.
    pub label: Option<u16>,
    /// The best output and its probability, sure enough or not. None when that is *no sign*.
    pub best: Option<(u16, f32)>,
    /// Why the segment ended. None of the peer's windows.
    pub ended: Option<EndReason>,
}

/// The pipeline after one frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameTrace {
    /// Capture time, s.
    pub t: f64,
    /// The gate sees the dominant hand.
    pub visible: bool,
    /// Where in a sign.
    pub state: SignState,
    /// How fast the dominant hand moves, shoulder widths a second.
    pub motion: f32,
    /// The best hypothesis, as output and probability.
    pub best: Option<(u16, f32)>,
}

/// What the daemon made of a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamTrace {
    /// All decisions, of no known sign too, in their order.
    pub decisions: Vec<StreamDecision>,
    /// The pipeline after each frame.
    pub frames: Vec<FrameTrace>,
}

/// Plays a stream from fresh state to its end.
pub fn trace_stream(
    frames: &[(Frame, ArrivalTime)],
    pipeline: &mut Pipeline,
) -> Result<StreamTrace, ModelError> {
    let (id, mut work) = (StreamId::default(), StreamWork::default());
    let mut trace = StreamTrace::default();
    for (frame, arrival) in frames {
        let core = pipeline.frame(id, frame, *arrival, &mut work);
        // Events do not tell of motion.
        let motion = core.view().map(|view| view.input.motion);
        finish(pipeline, &mut work, &mut trace)?;
        if let (Some(last), Some(motion)) = (trace.frames.last_mut(), motion) {
            last.motion = motion;
        }
    }
    pipeline.tick(id, Tick::End, &mut work);
    finish(pipeline, &mut work, &mut trace)?;
    Ok(trace)
}

/// Appends what a frame or tick gives.
fn finish(
    pipeline: &mut Pipeline,
    work: &mut StreamWork,
    trace: &mut StreamTrace,
) -> Result<(), ModelError> {
    let seconds = |t: SourceTime| t.seconds_since(START);
    let (now, presence) = (seconds(work.batch().t), presence(work.batch()));
    pipeline.finish(work, true, |event| match event.body {
        EventBody::Frame(frame) => trace.frames.push(FrameTrace {
            t: seconds(frame.t),
            visible: frame.hand.is_some(),
            state: frame.state,
            motion: 0.0,
            best: frame.top.first().copied(),
        }),
        EventBody::Sign(sign) => {
            let best = sign.top.first().copied();
            let known =
                |(output, _): &(u16, f32)| event.labels.name(usize::from(*output)).is_some();
            trace.decisions.push(StreamDecision {
                span: (seconds(sign.start_t), seconds(sign.end_t)),
                at: now,
                label: sign.label,
                best: best.filter(known).map(|(output, p)| (output, sureness(p, presence))),
                ended: Some(sign.ended),
            });
        }
        EventBody::Status(_) => {}
    })
}

/// Of the sign that ended with this batch.
fn presence(batch: &StepBatch) -> f32 {
    let ended = batch.steps.iter().find_map(|step| match step {
        StreamStep::End(segment) => Some(segment.presence),
        _ => None,
    });
    ended.unwrap_or(1.0)
}
