//! Running a model before it is used: the first run allocates, and it shows what a file does not
//! tell.

use super::ports::CallForm;
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
        if let CallForm::Stream { state, .. } = self.ports.form {
            self.shared = if self.rows_are_independent(state)? { SHARED } else { 1 };
            if self.shared == 1 {
                let model = &self.card.identity.name;
                tracing::warn!(model, "rows that share a call change each other: one row a call");
            }
        }
        Ok(())
    }

    /// Whether a row is answered the same, to the bit, alone and in calls of every size. Matrix kernels
    /// of some machines add up one row in another order than several.
    fn rows_are_independent(&mut self, state: usize) -> Result<bool, ModelError> {
        let width = self.row_width();
        let rows = noise(SHARED * width);
        let mut answers = |rows: &[f32], states: &[f32], shared: usize| {
            let mut next = Vec::with_capacity(states.len());
            self.shared = shared;
            self.step(rows, states, |_, _, state| next.extend_from_slice(state))?;
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let answers = [&self.logits, &self.embedding, &next].map(|x| bits(x));
            Ok::<_, ModelError>((answers, next))
        };
        // States as they are inside a sign.
        let (_, begun) = answers(&rows, &vec![0.0; SHARED * state], 1)?;
        let rows: Vec<f32> = rows.into_iter().rev().collect();
        let (alone, _) = answers(&rows, &begun, 1)?;
        for n in 2..=SHARED {
            let (together, _) = answers(&rows[..n * width], &begun[..n * state], n)?;
            if !together.iter().zip(&alone).all(|(some, all)| all.starts_with(some)) {
                return Ok(false);
            }
        }
        Ok(true)
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
