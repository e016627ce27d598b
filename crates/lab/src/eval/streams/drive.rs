//! A stream through the daemon's own core and inference, without threads: what was decided, when,
//! and what was thought on the way.

use signd_core::event::{Body, State};
use signd_core::frame::{Arrival, Frame, SourceTime};
use signd_core::stream::{Batch, CoreSettings, Step, Stream, Tick};
use signd_core::stream_id::StreamId;
use signd_engine::infer::Infer;
use signd_engine::infer::decide::sureness;
use signd_engine::infer::model::ModelError;

use super::measure::Decision;
use super::trouble::START;

/// The pipeline after one frame.
#[derive(Clone, Copy, Debug)]
pub struct Glimpse {
    /// Capture time, s.
    pub t: f64,
    /// The gate sees the dominant hand.
    pub visible: bool,
    /// Where in a sign.
    pub state: State,
    /// How fast the dominant hand moves, shoulder widths a second.
    pub motion: f32,
    /// The best hypothesis; output and probability.
    pub best: Option<(u16, f32)>,
}

/// What the daemon made of a stream.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// All decisions, of no known sign too, in their order.
    pub decisions: Vec<Decision>,
    /// A glimpse for each frame.
    pub glimpses: Vec<Glimpse>,
}

/// Plays a stream from fresh state to its end.
pub fn drive(
    frames: &[(Frame, Arrival)],
    core: &CoreSettings,
    infer: &mut Infer,
) -> Result<Course, ModelError> {
    let id = StreamId::default();
    // The stream before may have ended in an error.
    infer.forget(&id);
    let (mut stream, mut batch) = (Stream::new(core, infer.needs()), Batch::default());
    let mut course = Course::default();
    for (frame, arrival) in frames {
        batch.clear();
        stream.push(frame, *arrival, &mut batch);
        take(infer, &id, &batch, &mut course)?;
        // Events do not tell of motion.
        if let (Some(glimpse), Some(view)) = (course.glimpses.last_mut(), stream.view()) {
            glimpse.motion = view.glance.motion;
        }
    }
    batch.clear();
    stream.tick(Tick::End, &mut batch);
    take(infer, &id, &batch, &mut course)?;
    Ok(course)
}

/// Appends what a batch gives.
fn take(
    infer: &mut Infer,
    id: &StreamId,
    batch: &Batch,
    course: &mut Course,
) -> Result<(), ModelError> {
    let seconds = |t: SourceTime| t.seconds_since(START);
    infer.push(id, batch, true, |event| match event.body {
        Body::Frame(frame) => course.glimpses.push(Glimpse {
            t: seconds(frame.t),
            visible: frame.hand.is_some(),
            state: frame.state,
            motion: 0.0,
            best: frame.top.first().copied(),
        }),
        Body::Sign(sign) => {
            let best = sign.top.first().copied();
            let known =
                |(output, _): &(u16, f32)| event.labels.name(usize::from(*output)).is_some();
            course.decisions.push(Decision {
                span: (seconds(sign.start_t), seconds(sign.end_t)),
                at: seconds(batch.t),
                label: sign.label,
                best: best.filter(known).map(|(output, p)| (output, sureness(p, presence(batch)))),
                ended: Some(sign.ended),
            });
        }
        Body::Status(_) => {}
    })
}

/// Of the sign that ended with this batch.
fn presence(batch: &Batch) -> f32 {
    let ended = batch.steps.iter().find_map(|step| match step {
        Step::End(segment) => Some(segment.presence),
        _ => None,
    });
    ended.unwrap_or(1.0)
}
