//! Running a model before it is used: the first run allocates, and it shows what a file does not
//! tell.

use super::ports::Form;
use super::{Model, ModelError, SHARED};

impl Model {
    /// Whether there is one logit for each label; of a model that takes rows of several streams in
    /// one call, whether they may share it.
    pub(super) fn try_out(&mut self) -> Result<(), ModelError> {
        let rows = vec![f32::NAN; self.row_width() * self.card.window.min(16)];
        let found = self.run(&rows)?.len();
        let labels = self.card.labels.names.len();
        if found != labels {
            let expected = format!("{labels} logits, one per label");
            return Err(ModelError::Shape { what: "output", expected, found: found.to_string() });
        }
        if let Form::Stream { state, .. } = self.ports.form {
            self.shared = if self.rows_are_independent(state)? { SHARED } else { 1 };
            if self.shared == 1 {
                let model = &self.card.name;
                tracing::warn!(model, "rows that share a call change each other: one row a call");
            }
        }
        Ok(())
    }

    /// Whether a row is answered the same, to the bit, alone and among others, wherever it stands.
    /// Matrix kernels of some machines add up one row in another order than several.
    fn rows_are_independent(&mut self, state: usize) -> Result<bool, ModelError> {
        let rows = noise(SHARED * self.row_width());
        // States as they are inside a sign.
        let mut begun = vec![0.0; SHARED * state];
        self.call(&rows, &mut begun)?;
        let rows: Vec<f32> = rows.into_iter().rev().collect();
        let mut in_calls_of = |sizes: &[usize]| -> Result<Vec<u32>, ModelError> {
            self.clear();
            let (mut states, width, mut at) = (begun.clone(), self.row_width(), 0);
            for n in sizes {
                let to = at + n;
                self.call(&rows[at * width..to * width], &mut states[at * state..to * state])?;
                at = to;
            }
            let answers = self.logits.iter().chain(&self.embedding).chain(&states);
            Ok(answers.map(|x| x.to_bits()).collect())
        };
        let alone = in_calls_of(&[1; SHARED])?;
        Ok(alone == in_calls_of(&[2, 7, SHARED - 9])? && alone == in_calls_of(&[SHARED])?)
    }
}

/// Numbers in -1..1, one in nine missing; always the same.
fn noise(count: usize) -> Vec<f32> {
    let mut x: u32 = 0x5eed;
    let mut next = |i: usize| {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if i % 9 == 4 { f32::NAN } else { (x >> 8) as f32 / (1 << 23) as f32 - 1.0 }
    };
    (0..count).map(&mut next).collect()
}
