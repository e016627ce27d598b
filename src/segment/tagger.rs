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
struct Written {
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
pub struct Tag {
    /// In this row, going by this and the earlier ones.
    pub now: f32,
    /// In the row [`Tagger::delay`] before.
    pub then: f32,
}

impl Tagger {
    /// From the text in a model's metadata, for rows of this width; says what is wrong with it.
    pub fn parse(text: &str, width: usize) -> Result<Tagger, String> {
        let Written { columns, hidden, delay, usual, weights } =
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
pub struct Course {
    /// The places in the row before, `NaN` where missing.
    before: Vec<f32>,
    h: Vec<f32>,
    /// Sums of the gates: of the input and of the state.
    of_input: Vec<f32>,
    of_state: Vec<f32>,
}

impl Course {
    /// Before the first row.
    pub fn new(tagger: &Tagger) -> Self {
        Course {
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
    pub fn push(&mut self, tagger: &Tagger, row: &[f32]) -> Tag {
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
        Tag { now: answer(0), then: answer(1) }
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
