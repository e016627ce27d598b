//! Lessons of a tagger: the rows of a stream with the truth about it.

use serde::Serialize;
use serde_bytes::ByteBuf;

use super::camera::delivery::{START, StreamDelivery};
use super::compose::plan::StreamPlan;
use super::span::TimeSpan;
use super::truth::AnnotatedStream;
use signd_core::features::grid::RowKind;
use signd_core::frame::{ArrivalTime, Frame};
use signd_core::stream::{self, CoreSettings, StepBatch};

/// One stream, delivered in one way: what a tagger is given, and what it should answer.
#[derive(Serialize)]
pub struct TaggerLesson<'a> {
    /// Name of the stream.
    name: &'a str,
    /// Its set.
    set: &'a str,
    /// The fold of its signers. It is 0 where one model judges all of them.
    fold: i64,
    /// Frames a second.
    fps: f64,
    /// With everything in [`super::camera::faults`].
    disturbed: bool,
    /// First and last moment of each true sign, s.
    signs: Vec<TimeSpan>,
    /// Moment of each row, s.
    times: Vec<f64>,
    /// Numbers in a row.
    columns: usize,
    /// All rows, one after the other: little-endian f32, `NaN` where missing.
    data: ByteBuf,
}

impl<'a> TaggerLesson<'a> {
    /// Of the rows that the daemon makes of these frames of a stream.
    pub fn of(
        plan: &'a StreamPlan,
        fold: i64,
        stream: &AnnotatedStream,
        frames: &[(Frame, ArrivalTime)],
        StreamDelivery { fps, disturbed }: StreamDelivery,
        core: &CoreSettings,
        kind: &RowKind,
    ) -> Self {
        let (mut stages, mut batch) =
            (stream::Stream::new(core, kind.clone()), StepBatch::default());
        let (mut times, mut data) = (Vec::new(), Vec::new());
        let step = match kind {
            RowKind::Features { rate, .. } => 1.0 / rate,
            RowKind::Landmarks => 0.0,
        };
        for (frame, arrival) in frames {
            batch.clear();
            stages.push(frame, *arrival, &mut batch);
            // Of several rows that a frame settles the last is the nearest to it.
            let new = batch.rows.len() / kind.width();
            let now = frame.t.seconds_since(START);
            times.extend((0..new).rev().map(|back| now - back as f64 * step));
            data.extend_from_slice(bytemuck::cast_slice(&batch.rows));
        }
        TaggerLesson {
            name: &plan.name,
            set: &plan.set,
            fold,
            fps,
            disturbed,
            signs: stream.signs.iter().map(|sign| sign.span).collect(),
            times,
            columns: kind.width(),
            data: ByteBuf::from(data),
        }
    }
}
