//! From the answers of single frames to a doubt about a stream or a clip.

use super::pace::PaceCheck;
use super::{InputDoubt, body};
use crate::frame::{ArrivalTime, Frame};

/// Questions are asked until this many frames have answered: some ten seconds.
const ENOUGH: u32 = 300;
/// Frames with a part at one value before it is said: no estimator gives even one.
const REPEATED: u32 = 5;

/// How many odd answers a doubt needs.
#[derive(Clone, Copy, Debug)]
pub enum DoubtThreshold {
    /// As in a stream, whose first second may show a person who sits down.
    Stream,
    /// As in a clip, which may be short.
    Clip,
}

impl DoubtThreshold {
    fn frames(self, doubt: InputDoubt) -> u32 {
        match (self, doubt) {
            (_, InputDoubt::RepeatedValue) => REPEATED,
            // An empty room is no news for the first five seconds.
            (DoubtThreshold::Stream, InputDoubt::NoPerson) => 150,
            // Between signs a stream shows no hand for long.
            (DoubtThreshold::Stream, InputDoubt::NoHands) => u32::MAX,
            (DoubtThreshold::Stream, _) => 60,
            (DoubtThreshold::Clip, InputDoubt::NoPerson) => 1,
            (DoubtThreshold::Clip, _) => 5,
        }
    }
}

/// Share of the answers that must be odd. Where people are never odd for a while, half will do, so that a
/// fault of one part shows although others are right.
fn share(doubt: InputDoubt) -> f32 {
    match doubt {
        InputDoubt::RepeatedValue => 0.0,
        InputDoubt::NoHands | InputDoubt::NoPerson => 1.0,
        _ if doubt.is_certain() => 0.5,
        _ => 0.9,
    }
}

/// Answers to one question.
#[derive(Clone, Copy, Debug, Default)]
struct AnswerTally {
    answers: u32,
    odd: u32,
    example: [f32; 2],
    raised: bool,
}

/// Judges the landmarks and times of one stream or clip.
#[derive(Clone, Debug)]
pub struct InputJudge {
    least: DoubtThreshold,
    tallies: [AnswerTally; InputDoubt::ALL.len()],
    pace: PaceCheck,
}

impl InputJudge {
    /// A judge that has seen nothing.
    #[must_use]
    pub fn new(least: DoubtThreshold) -> Self {
        InputJudge { least, tallies: Default::default(), pace: PaceCheck::default() }
    }

    /// Takes a frame. Without an arrival the times are not judged.
    pub fn push(&mut self, frame: &Frame, arrival: Option<ArrivalTime>) {
        let enough = match self.least {
            DoubtThreshold::Stream => ENOUGH,
            DoubtThreshold::Clip => u32::MAX,
        };
        let tallies = &mut self.tallies;
        body::look(frame, &mut |doubt, odd, example| {
            let tally = &mut tallies[doubt as usize];
            if tally.answers < enough {
                tally.answers += 1;
                if odd {
                    tally.odd += 1;
                    tally.example = example;
                }
            }
        });
        if let Some(arrival) = arrival {
            self.pace.push(frame.t, arrival, |doubt, example| {
                let tally = &mut tallies[doubt as usize];
                (tally.odd, tally.example) = (u32::MAX, example);
            });
        }
    }

    /// Tells each doubt once, when it is first held, with an example for [`InputDoubt::found`]. A stream
    /// is asked after every frame, a clip at its end.
    pub fn raise(&mut self, mut tell: impl FnMut(InputDoubt, [f32; 2])) {
        for (doubt, tally) in InputDoubt::ALL.into_iter().zip(&mut self.tallies) {
            let odd = tally.odd as f32 >= share(doubt) * tally.answers as f32;
            let odd = odd && tally.odd >= self.least.frames(doubt).max(1);
            if odd && !std::mem::replace(&mut tally.raised, true) {
                tell(doubt, tally.example);
            }
        }
    }
}
