//! A model file and the contract it declares in its ONNX metadata.
//!
//! | contract | takes | gives |
//! |---|---|---|
//! | `features` | all rows of a sign, `[1,T,F]` | `logits [1,K]` (or the first output), `embedding [1,E]` if it has one |
//! | `stream` | a row of each of B streams, `rows [B,F]`, and their states, `state [B,S]` | `logits [B,K]`, `embedding [B,E]`, `next [B,S]` |
//! | `landmarks` | all frames of a sign, `[T,543,3]` or `[1,T,543,3]` | as `features` |
//!
//! Everything is 32-bit floats. Missing landmarks are `NaN` in any contract; the graph deals with
//! them. Embeddings have unit length. A `stream` model takes any B; a state of zeros is the beginning
//! of a sign, and its answer after a row is that of its `features` form for all rows up to there.
//!
//! | key | meaning |
//! |---|---|
//! | `signd.contract` | `features`, `stream` or `landmarks` |
//! | `signd.name` | name and version of the model |
//! | `signd.author`, `signd.license` | who made it, and what may be done with it; optional |
//! | `signd.labels` | JSON list, one name per output |
//! | `signd.no_sign` | the label that means *no known sign*; optional |
//! | `signd.schema`, `signd.groups` | feature schema and its groups (not `landmarks`) |
//! | `signd.rate` | rows a second (not `landmarks`) |
//! | `signd.window` | most rows a call takes; of `stream`, the longest sign it was trained on |
//! | `signd.temperature` | divides the logits; 1 when absent |
//! | `signd.tagger` | JSON, what finds the signs in the rows; optional, see [`signd_core::segment::tagger`] |
//! | `signd.threshold` | least probability of a decided label, 0..1, where the configuration says none; 0.5 when absent |

mod card;
mod damage;
mod ports;
mod runtime;
mod self_test;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::session::Session;
use ort::value::TensorRef;

pub use card::{ModelCard, ModelContract, ModelIdentity};
pub use runtime::OnnxRuntime;

use crate::digest;
use ports::{CallForm, ModelPorts};
use signd_core::event::ModelLabels;
use signd_core::features::grid::RowKind;
use signd_core::features::schema::SchemaError;
use signd_core::frame::POINTS;

/// Largest model file accepted, bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Most rows that share a call of a `stream` model. The states of more leave the processor's cache, and the
/// first would wait for the last.
const SHARED: usize = 8;

/// Why a model cannot be used. All of these are permanent for the same file and library.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The runtime library cannot be loaded.
    #[error("ONNX Runtime at {path}: {reason}")]
    Library {
        /// Where it was looked for.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The file cannot be read.
    #[error("model {path}: {source}: {}", remedy(source))]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The file is no whole model.
    #[error("{0}")]
    Damaged(String),
    /// The runtime refuses or fails.
    #[error("ONNX Runtime: {0}")]
    Runtime(String),
    /// A metadata key is missing or has no usable value.
    #[error("model metadata `{key}`: expected {expected}, found {found}")]
    Metadata {
        /// The key.
        key: &'static str,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// The feature schema is not this build's.
    #[error("model metadata: {0}")]
    Schema(#[from] SchemaError),
    /// Inputs or outputs do not fit the declared contract.
    #[error("model {what}: expected {expected}, found {found}")]
    Shape {
        /// Input or output.
        what: &'static str,
        /// The shape that the contract asks for.
        expected: String,
        /// The shape that the file has.
        found: String,
    },
}

/// What to do about a file that cannot be read.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied => "the user that runs signd must be able to read it",
        ErrorKind::IsADirectory => "name a file in that folder",
        _ => "name a model with --model, or `model` in the configuration",
    }
}

impl<T> From<ort::Error<T>> for ModelError {
    fn from(error: ort::Error<T>) -> Self {
        ModelError::Runtime(error.to_string())
    }
}

/// A model ready to run.
pub struct Model {
    card: ModelCard,
    session: Session,
    ports: ModelPorts,
    /// Rows that may share a call (`stream`).
    shared: usize,
    /// Answers of the last run, one after the other.
    logits: Vec<f32>,
    embedding: Vec<f32>,
}

impl Model {
    /// Opens a model file, checks it against its contract and runs it once.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is damaged, does not keep its contract, or cannot be run.
    pub fn open(runtime: &OnnxRuntime, path: &Path) -> Result<Model, ModelError> {
        let file = |source| ModelError::File { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(file)?.len();
        if size > MAX_BYTES {
            let big = format!("{size} bytes (at most {MAX_BYTES})");
            return Err(file(std::io::Error::other(big)));
        }
        // Read here and handed over as bytes: what is digested is what runs, and a graph that
        // points to further files on disk finds none.
        let bytes = std::fs::read(path).map_err(file)?;
        let digest = digest::sha256(&bytes);
        // One thread and no spinning: a box next to a camera has other work. Without memory pattern,
        // memory stays flat over reloads.
        let session = Session::builder(runtime.environment())?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_memory_pattern(false)?
            .commit_from_memory(&bytes);
        let session = match (session, damage::of(&bytes)) {
            (Err(_), Some(damage)) => return Err(ModelError::Damaged(damage)),
            (session, _) => session?,
        };
        let card = ModelCard::read(&session, digest)?;
        let ports = ModelPorts::find(&session, &card)?;
        let (logits, embedding) = (Vec::new(), Vec::new());
        let mut model = Model { card, session, ports, shared: 1, logits, embedding };
        model.try_out()?;
        Ok(model)
    }

    /// What the file says of itself.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Numbers in a row.
    #[must_use]
    pub fn row_width(&self) -> usize {
        self.card.kind.width()
    }

    /// Most rows a call takes.
    #[must_use]
    pub fn window(&self) -> usize {
        self.card.window
    }

    /// Most rows that may share a call (`stream`).
    #[must_use]
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// Names of the outputs.
    #[must_use]
    pub fn labels(&self) -> &Arc<ModelLabels> {
        &self.card.labels
    }

    /// Numbers in the state of a stream; none unless the contract is `stream`.
    #[must_use]
    pub fn state_size(&self) -> Option<usize> {
        match self.ports.form {
            CallForm::Stream { state, .. } => Some(state),
            CallForm::Window { .. } => None,
        }
    }

    /// Numbers in an embedding; none if the model gives no embedding.
    #[must_use]
    pub fn embedding_size(&self) -> Option<usize> {
        self.ports.embedding.map(|(_, size)| size)
    }

    /// The answer at the last row of a sign that is made of these rows (at least one), under any
    /// contract: logits `[K]`, in the order of the labels.
    ///
    /// # Errors
    ///
    /// When the runtime fails.
    pub fn run(&mut self, rows: &[f32]) -> Result<&[f32], ModelError> {
        let width = self.row_width();
        let t = (rows.len() / width) as i64;
        let shape: &[i64] = match (self.ports.form, &self.card.kind) {
            (CallForm::Stream { state, .. }, _) => {
                let [mut before, mut after] = [vec![0.0; state], Vec::with_capacity(state)];
                for row in rows.chunks_exact(width) {
                    after.clear();
                    self.step(row, &before, |_, _, next| after.extend_from_slice(next))?;
                    std::mem::swap(&mut before, &mut after);
                }
                return Ok(&self.logits);
            }
            (CallForm::Window { .. }, RowKind::Features { .. }) => &[1, t, width as i64],
            (CallForm::Window { batched: true }, _) => &[1, t, POINTS as i64, 3],
            (CallForm::Window { batched: false }, _) => &[t, POINTS as i64, 3],
        };
        self.clear();
        let input = TensorRef::from_array_view((shape, rows))?;
        let outputs = self.session.run(ort::inputs![input])?;
        self.logits.extend_from_slice(outputs[self.ports.logits].try_extract_tensor()?.1);
        if let Some((i, _)) = self.ports.embedding {
            self.embedding.extend_from_slice(outputs[i].try_extract_tensor()?.1);
        }
        Ok(&self.logits)
    }

    /// Takes one row `[B,F]` of each of B streams and their states `[B,S]` (contract `stream`). For each
    /// stream `answered` is told its number among them, its logits `[K]` and its next state `[S]`. What
    /// a row is answered does not depend on the others, not in a bit.
    ///
    /// # Errors
    ///
    /// When the runtime fails, or the contract is another.
    pub fn step(
        &mut self,
        rows: &[f32],
        states: &[f32],
        mut answered: impl FnMut(usize, &[f32], &[f32]),
    ) -> Result<(), ModelError> {
        self.clear();
        let (width, size) = (self.row_width(), self.state_size().unwrap_or(1));
        let calls = rows.chunks(self.shared * width).zip(states.chunks(self.shared * size));
        let mut first = 0;
        for (rows, states) in calls {
            self.call(rows, states, |i, logits, next| answered(first + i, logits, next))?;
            first += self.shared;
        }
        Ok(())
    }

    /// The embeddings `[B,E]` of the last run or step, each of unit length; none if the model gives
    /// no embedding.
    #[must_use]
    pub fn embedding(&self) -> Option<&[f32]> {
        self.ports.embedding.map(|_| &self.embedding[..])
    }

    fn clear(&mut self) {
        self.logits.clear();
        self.embedding.clear();
    }

    /// One call with rows of several streams.
    fn call(
        &mut self,
        rows: &[f32],
        states: &[f32],
        mut answered: impl FnMut(usize, &[f32], &[f32]),
    ) -> Result<(), ModelError> {
        let CallForm::Stream { state, next } = self.ports.form else {
            let (expected, found) = ("stream".into(), self.card.contract.to_string());
            return Err(ModelError::Shape { what: "contract", expected, found });
        };
        let width = self.row_width();
        let b = rows.len() / width;
        let outputs = self.session.run(ort::inputs![
            "rows" => TensorRef::from_array_view(([b, width], rows))?,
            "state" => TensorRef::from_array_view(([b, state], states))?,
        ])?;
        let logits = outputs[self.ports.logits].try_extract_tensor()?.1;
        self.logits.extend_from_slice(logits);
        if let Some((i, _)) = self.ports.embedding {
            self.embedding.extend_from_slice(outputs[i].try_extract_tensor()?.1);
        }
        let (shape, next) = outputs[next].try_extract_tensor()?;
        if next.len() != states.len() {
            let (expected, found) = (format!("next [{b}, {state}]"), shape.to_string());
            return Err(ModelError::Shape { what: "output", expected, found });
        }
        let labels = self.card.labels.names.len();
        for (i, (logits, next)) in logits.chunks(labels).zip(next.chunks(state)).enumerate() {
            answered(i, logits, next);
        }
        Ok(())
    }
}
