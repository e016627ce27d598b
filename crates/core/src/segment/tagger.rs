//! The *tagger*: a small recurrent network that comes with a model and says after every row whether a
//! sign is being made.
//!
//! One layer of gated recurrent units (Cho et al. 2014, in the form of PyTorch's `GRU`) over places and
//! moves of palms, three fingertips and arms. It runs on every row of every stream, within the core: so it
//! is written out here, in plain arithmetic in a fixed order, without allocation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Places and moves are clipped at this many units.
const MOST: f32 = 4.0;
/// Moves from row to row are small; in tenths they are of the size of places.
const MOVES: f32 = 10.0;
/// Most columns and units, so that a damaged file cannot ask for everything.
const LIMIT: usize = 512;

/// What a model file says of its tagger.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TaggerMetadata {
    columns: Vec<usize>,
    hidden: usize,
    delay: u64,
    usual: f32,
    weights: String,
}

/// The weights of a tagger.
#[derive(Debug, PartialEq)]
pub struct Tagger {
    /// Numbers in a row.
    pub width: usize,
    /// Columns of a row that it sees.
    columns: Vec<usize>,
    /// Its second answer is about the row so many before.
    pub delay: u64,
    /// Mean probability that it gives a usual sign.
    pub usual: f32,
    hidden: usize,
    mean: Vec<f32>,
    scale: Vec<f32>,
    /// `[3 columns, 3 hidden]`: from places, moves and what is known to reset, update and new gates.
    input: Vec<f32>,
    /// `[hidden, 3 hidden]`.
    state: Vec<f32>,
    input_bias: Vec<f32>,
    state_bias: Vec<f32>,
    /// `[2, hidden]`.
    head: Vec<f32>,
    head_bias: Vec<f32>,
}

/// Whether a sign is being made, as probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TaggerAnswer {
    /// In this row, going by this and the earlier ones.
    pub now: f32,
    /// In the row [`Tagger::delay`] before.
    pub then: f32,
}

impl Tagger {
    /// From the text in a model's metadata, for rows of this width; says what is wrong with it.
    ///
    /// # Errors
    ///
    /// When the text is not a tagger for rows of that width.
    pub fn parse(text: &str, width: usize) -> Result<Tagger, String> {
        let TaggerMetadata { columns, hidden, delay, usual, weights } =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(column) = columns.iter().find(|column| **column >= width) {
            return Err(format!("column {column} of rows with {width}"));
        }
        let c = columns.len();
        if !(1..=LIMIT).contains(&c) || !(1..=LIMIT).contains(&hidden) || delay > 60 {
            return Err(format!("{c} columns, {hidden} units, {delay} rows late"));
        }
        if !(0.01..=0.999).contains(&usual) {
            return Err(format!("a usual probability of {usual}"));
        }
        let bytes = STANDARD.decode(weights).map_err(|error| error.to_string())?;
        let sizes =
            [c, c, 9 * c * hidden, 3 * hidden * hidden, 3 * hidden, 3 * hidden, 2 * hidden, 2];
        let all: usize = sizes.iter().sum();
        if bytes.len() != 4 * all {
            return Err(format!("{} bytes of weights instead of {}", bytes.len(), 4 * all));
        }
        let mut numbers = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
        let mut next = |size| numbers.by_ref().take(size).collect::<Vec<f32>>();
        let [mean, scale, input, state, input_bias, state_bias, head, head_bias] =
            sizes.map(&mut next);
        let parts = [&mean, &scale, &input, &state, &input_bias, &state_bias, &head, &head_bias];
        if parts.into_iter().flatten().any(|x| !x.is_finite()) {
            return Err("weights that are no numbers".into());
        }
        Ok(Tagger {
            width,
            columns,
            delay,
            usual,
            hidden,
            mean,
            scale,
            input,
            state,
            input_bias,
            state_bias,
            head,
            head_bias,
        })
    }
}

/// A tagger on its way through a stream.
#[derive(Clone, Debug)]
pub struct TaggerState {
    /// The places in the row before, `NaN` where missing.
    before: Vec<f32>,
    h: Vec<f32>,
    /// Sums of the gates: of the input and of the state.
    of_input: Vec<f32>,
    of_state: Vec<f32>,
}

impl TaggerState {
    /// Before the first row.
    #[must_use]
    pub fn new(tagger: &Tagger) -> Self {
        TaggerState {
            before: vec![f32::NAN; tagger.columns.len()],
            h: vec![0.0; tagger.hidden],
            of_input: vec![0.0; 3 * tagger.hidden],
            of_state: vec![0.0; 3 * tagger.hidden],
        }
    }

    /// Forgets all rows.
    pub fn restart(&mut self) {
        self.before.fill(f32::NAN);
        self.h.fill(0.0);
    }

    /// Takes a row.
    pub fn push(&mut self, tagger: &Tagger, row: &[f32]) -> TaggerAnswer {
        let (c, n) = (tagger.columns.len(), tagger.hidden);
        self.of_input.copy_from_slice(&tagger.input_bias);
        self.of_state.copy_from_slice(&tagger.state_bias);
        for (i, &column) in tagger.columns.iter().enumerate() {
            let x = row[column];
            let moved = (x - self.before[i]) * MOVES;
            self.before[i] = x;
            if x.is_nan() {
                continue;
            }
            let place = ((x - tagger.mean[i]) * tagger.scale[i]).clamp(-MOST, MOST);
            let moved = if moved.is_nan() { 0.0 } else { moved.clamp(-MOST, MOST) };
            for (k, value) in [(i, place), (c + i, moved), (2 * c + i, 1.0)] {
                add(&mut self.of_input, &tagger.input[3 * n * k..3 * n * (k + 1)], value);
            }
        }
        for (i, value) in self.h.iter().enumerate() {
            add(&mut self.of_state, &tagger.state[3 * n * i..3 * n * (i + 1)], *value);
        }
        for (i, h) in self.h.iter_mut().enumerate() {
            let reset = sigmoid(self.of_input[i] + self.of_state[i]);
            let update = sigmoid(self.of_input[n + i] + self.of_state[n + i]);
            let new = (self.of_input[2 * n + i] + reset * self.of_state[2 * n + i]).tanh();
            *h = (1.0 - update) * new + update * *h;
        }
        let answer = |k: usize| {
            let weights = &tagger.head[k * n..(k + 1) * n];
            let sum: f32 = weights.iter().zip(&self.h).map(|(w, h)| w * h).sum();
            sigmoid(sum + tagger.head_bias[k])
        };
        TaggerAnswer { now: answer(0), then: answer(1) }
    }
}

fn add(sums: &mut [f32], weights: &[f32], value: f32) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += weight * value;
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
impl Tagger {
    /// One that sees nothing, so many rows late, for tests of what is made of its answers.
    #[must_use]
    pub fn silent(delay: u64) -> Tagger {
        let nothing = Vec::new;
        Tagger {
            width: 1,
            columns: Vec::new(),
            delay,
            usual: 0.9,
            hidden: 0,
            mean: nothing(),
            scale: nothing(),
            input: nothing(),
            state: nothing(),
            input_bias: nothing(),
            state_bias: nothing(),
            head: nothing(),
            head_bias: vec![0.0; 2],
        }
    }

    /// One that gives rows of a single number, 1 or -1, the probability 0.98 or 0.02, at once and without
    /// memory.
    #[must_use]
    pub fn echo() -> Tagger {
        let gates = |reset, update, new| vec![reset, update, new];
        Tagger {
            columns: vec![0],
            hidden: 1,
            mean: vec![0.0],
            scale: vec![1.0],
            input: [gates(0.0, 0.0, 5.0), vec![0.0; 6]].concat(),
            state: vec![0.0; 3],
            input_bias: gates(0.0, -50.0, 0.0),
            state_bias: vec![0.0; 3],
            head: vec![4.0; 2],
            ..Tagger::silent(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns, three units; the weights follow a rule, so that other programs can make them too.
    fn written(change: impl Fn(&mut Vec<f32>)) -> String {
        let mut weights: Vec<f32> =
            (0..111).map(|i| ((i * 37 % 29) as f32 - 14.0) / 20.0).collect();
        (weights[2], weights[3]) = (2.0, 0.5);
        change(&mut weights);
        let weights = STANDARD.encode(bytemuck::cast_slice::<f32, u8>(&weights));
        format!(r#"{{"columns":[1,3],"hidden":3,"delay":6,"usual":0.9,"weights":"{weights}"}}"#)
    }

    #[test]
    fn it_answers_as_pytorch_does() {
        let tagger = Tagger::parse(&written(|_| ()), 4).expect("well written");
        let mut state = TaggerState::new(&tagger);
        let rows = [[0.1, 0.2], [0.15, f32::NAN], [9.0, 0.3], [0.2, 0.31]];
        // `models/signd_models/train/tagger.py` with these weights.
        let expected = [
            [0.3334624, 0.4436595],
            [0.2593718, 0.3963059],
            [0.2093287, 0.3678242],
            [0.3211609, 0.4747788],
        ];
        for _ in 0..2 {
            for ([a, b], expected) in rows.iter().zip(expected) {
                let tag = state.push(&tagger, &[7.0, *a, 7.0, *b]);
                for (found, expected) in [tag.now, tag.then].iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
                }
            }
            state.restart();
        }
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        let wrong = |text: &str, width| Tagger::parse(text, width).expect_err("refused");
        assert_eq!(wrong(&written(|_| ()), 3), "column 3 of rows with 3");
        let short = written(|weights| weights.truncate(110));
        assert_eq!(wrong(&short, 4), "440 bytes of weights instead of 444");
        let none = written(|weights| weights[9] = f32::NAN);
        assert_eq!(wrong(&none, 4), "weights that are no numbers");
        let sure = written(|_| ()).replace("0.9", "1.5");
        assert_eq!(wrong(&sure, 4), "a usual probability of 1.5");
        assert!(wrong("{}", 4).starts_with("missing field"));
    }
}
