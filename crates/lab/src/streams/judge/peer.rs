//! The peer: a model made for clips, on a window that slides along the stream, as is usual today.
//!
//! Every 0.1 s the model is asked about the last 1.5 s. A label is decided when it is the best output
//! three times in a row, each time with at least the threshold's probability. A pause of one second
//! follows. While the window shows no hand, nothing is asked and the row begins anew.

use crate::eval::vocabulary::SignVocabulary;
use signd_core::event::ModelLabels;
use signd_core::frame::{ArrivalTime, BodyPart, Frame};
use signd_engine::inference::decide::SignDecider;
use signd_engine::model::{Model, ModelError};

use super::trace::StreamDecision;
use crate::streams::camera::delivery::START;

/// Length of the window, s.
const WINDOW_S: f64 = 1.5;
/// From window to window, s.
const EVERY_S: f64 = 0.1;
/// Windows in a row that must agree.
const IN_A_ROW: usize = 3;
/// After a decision, s.
const PAUSE_S: f64 = 1.0;

/// A model of raw landmarks, and how its labels are called by the model it is compared with.
pub struct PeerModel {
    model: Model,
    decider: SignDecider,
    /// For each output the same sign among the other model's outputs.
    labels: Vec<Option<u16>>,
}

/// What it says of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowAnswer {
    /// Capture time of the window's last frame, s.
    pub t: f64,
    /// The best output, as the other model numbers it (none where it has no such label), and its
    /// probability. None while the window shows no hand.
    pub best: Option<(Option<u16>, f32)>,
}

impl PeerModel {
    /// A peer whose answers are compared with the truth of this vocabulary.
    pub fn new(model: Model, decider: SignDecider, vocabulary: &SignVocabulary) -> PeerModel {
        let own: &ModelLabels = model.labels();
        let label = |i: usize| {
            let name = crate::eval::clip_list::comparable(own.name(i)?);
            match vocabulary.truth(&name) {
                crate::eval::vocabulary::GroundTruth::Known(label) => Some(label),
                _ => None,
            }
        };
        let labels = (0..own.names.len()).map(label).collect();
        PeerModel { model, decider, labels }
    }

    /// Asks about every window of a stream.
    pub fn answer_windows(
        &mut self,
        frames: &[(Frame, ArrivalTime)],
    ) -> Result<Vec<WindowAnswer>, ModelError> {
        let (mut answers, mut next, mut rows) = (Vec::new(), WINDOW_S, Vec::new());
        for (i, (frame, _)) in frames.iter().enumerate() {
            let t = frame.t.seconds_since(START);
            if t + 1e-6 < next {
                continue;
            }
            while next <= t + 1e-6 {
                next += EVERY_S;
            }
            let within = |(f, _): &&(Frame, ArrivalTime)| frame.t.seconds_since(f.t) < WINDOW_S;
            let window = frames[..=i].iter().rev().take_while(within).count();
            let window = &frames[i + 1 - window..=i];
            let best = if window.iter().any(|(frame, _)| shows_hand(frame)) {
                rows.clear();
                for (frame, _) in window {
                    rows.extend_from_slice(frame.points().as_flattened());
                }
                let top = self.decider.hypotheses(self.model.run(&rows)?);
                top.first().map(|(output, p)| (self.labels[usize::from(*output)], *p))
            } else {
                None
            };
            answers.push(WindowAnswer { t, best });
        }
        Ok(answers)
    }
}

fn shows_hand(frame: &Frame) -> bool {
    [BodyPart::LeftHand, BodyPart::RightHand].iter().any(|hand| frame.part(*hand).is_some())
}

/// Decides at a threshold. A decision's segment is the window that it came from.
pub fn decide_windows(answers: &[WindowAnswer], threshold: f32) -> Vec<StreamDecision> {
    let mut decisions = Vec::new();
    let (mut row, mut last, mut pause) = (0, None, f64::NEG_INFINITY);
    for now in answers {
        let sure = now.best.filter(|(label, p)| label.is_some() && *p >= threshold);
        let Some((label, p)) = sure.and_then(|(label, p)| Some((label?, p))) else {
            (row, last) = (0, None);
            continue;
        };
        row = if last == Some(label) { row + 1 } else { 1 };
        last = Some(label);
        if row >= IN_A_ROW && now.t >= pause {
            let span = (now.t - WINDOW_S, now.t);
            let best = Some((label, p));
            decisions.push(StreamDecision {
                span,
                at: now.t,
                label: Some(label),
                best,
                ended: None,
            });
            (row, last, pause) = (0, None, now.t + PAUSE_S);
        }
    }
    decisions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One answer every 0.1 s from 1.5 s on.
    fn answers(labels: &[(Option<u16>, f32)]) -> Vec<WindowAnswer> {
        let answer = |(i, (label, p)): (usize, &(Option<u16>, f32))| WindowAnswer {
            t: 1.5 + i as f64 / 10.0,
            best: (*p > 0.0).then_some((*label, *p)),
        };
        labels.iter().enumerate().map(answer).collect()
    }

    #[test]
    fn three_in_a_row_then_a_pause() {
        let sure = (Some(1), 0.9);
        let decided = |list: &[(Option<u16>, f32)]| -> Vec<f64> {
            decide_windows(&answers(list), 0.5)
                .iter()
                .map(|d| (d.at * 10.0).round() / 10.0)
                .collect()
        };
        assert_eq!(decided(&[sure; 2]), [0.0; 0]);
        assert_eq!(decided(&[sure; 3]), [1.7]);
        assert_eq!(decided(&[sure, sure, (Some(2), 0.9), sure, sure]), [0.0; 0]);
        assert_eq!(decided(&[sure, sure, (Some(1), 0.4), sure, sure]), [0.0; 0]);
        assert_eq!(decided(&[sure, sure, (None, 0.0), sure, sure]), [0.0; 0], "no hand");
        assert_eq!(decided(&[(None, 0.9); 5]), [0.0; 0], "no known label");
        assert_eq!(decided(&[sure; 14]), [1.7, 2.7], "a second's pause");
        assert_eq!(decide_windows(&answers(&[sure; 3]), 0.95), []);
        assert_eq!(decide_windows(&answers(&[sure; 3]), 0.5)[0].span.0, 1.7 - WINDOW_S);
    }
}
