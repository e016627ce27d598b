//! A sign on its way through a model of the `stream` contract: fed row by row, answered after each.

use std::collections::VecDeque;

use signd_core::event::Hypotheses;

/// How long answers are kept, s: where a sign ended is known when the hand has been hidden (2 s at most) and
/// has then rested or kept still (5 s), after it was lowered (2 s); more the settings do not allow.
const LOOK_BACK_S: f64 = 10.0;

/// The state of a `stream` model in the open sign of one camera, and its latest answers.
pub struct ModelState {
    /// What the model has made of the rows so far; zeros before the first.
    values: Vec<f32>,
    /// The row to be fed next.
    next: u64,
    /// The latest answers, the last of them after row `next - 1`.
    answers: VecDeque<Hypotheses>,
    keep: usize,
}

impl ModelState {
    /// For a model with states of this size that takes `rate` rows a second.
    pub fn new(size: usize, rate: f64) -> Self {
        let keep = (LOOK_BACK_S * rate).ceil() as usize;
        let answers = VecDeque::with_capacity(keep);
        ModelState { values: vec![0.0; size], next: 0, answers, keep }
    }

    /// A sign begins, again perhaps, with this row.
    pub fn begin(&mut self, row: u64) {
        self.values.fill(0.0);
        self.answers.clear();
        self.next = row;
    }

    /// The row to be fed next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What the model has made of the rows before it.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// It has been fed. `values` is the state after it.
    pub fn fed(&mut self, values: &[f32], answer: Hypotheses) {
        self.values.copy_from_slice(values);
        if self.answers.len() == self.keep {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
        self.next += 1;
    }

    /// The answer after this row; the nearest there is when that one is not kept, and no hypotheses
    /// before the first row.
    pub fn answer(&self, row: u64) -> Hypotheses {
        let first = self.next - self.answers.len() as u64;
        let at = row.saturating_sub(first) as usize;
        let nearest = self.answers.get(at).or(self.answers.back());
        nearest.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(row: u64) -> Hypotheses {
        std::iter::once((row as u16, 0.5)).collect()
    }

    /// A state that keeps fifty answers, fed rows 100 to 199.
    fn half_fed() -> ModelState {
        let mut state = ModelState::new(2, 5.0);
        state.begin(100);
        for row in 100..200 {
            assert_eq!(state.next(), row);
            state.fed(&[row as f32, 1.0], answered(row));
        }
        state
    }

    #[test]
    fn every_row_of_the_last_ten_seconds_keeps_its_answer() {
        let state = half_fed();
        for row in 150..200 {
            assert_eq!(state.answer(row), answered(row));
        }
        assert_eq!(state.answer(120), answered(150), "the oldest kept");
        assert_eq!(state.answer(u64::MAX), answered(199), "the latest");
        assert_eq!(state.values(), [199.0, 1.0]);
    }

    #[test]
    fn a_sign_that_begins_again_has_no_past() {
        let mut state = half_fed();
        state.begin(150);
        assert_eq!((state.next(), state.values()), (150, &[0.0, 0.0][..]));
        assert!(state.answer(150).is_empty(), "no row was fed");
    }
}
