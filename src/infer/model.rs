//! A model file and the contract it declares in its ONNX metadata.
//!
//! | key | meaning |
//! |---|---|
//! | `signd.contract` | `features` (rows `[1,T,F]`) or `landmarks` (`[T,543,3]` or `[1,T,543,3]`) |
//! | `signd.name` | name and version of the model |
//! | `signd.labels` | JSON list, one name per output |
//! | `signd.no_sign` | the label that means *no known sign*; optional |
//! | `signd.schema`, `signd.groups` | feature schema and its groups (`features` only) |
//! | `signd.rate` | rows a second (`features` only) |
//! | `signd.window` | most rows a call takes |
//! | `signd.temperature` | divides the logits; 1 when absent |
//!
//! Missing landmarks are `NaN` in either contract; the graph deals with them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ort::session::Session;
use ort::value::{TensorRef, ValueType};
use sha2::{Digest, Sha256};

use crate::event::Labels;
use crate::features::Schema;
use crate::features::grid::RowKind;
use crate::features::schema::SchemaError;
use crate::frame::POINTS;

/// Largest model file accepted, bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

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
    #[error("model {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
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

impl<T> From<ort::Error<T>> for ModelError {
    fn from(error: ort::Error<T>) -> Self {
        ModelError::Runtime(error.to_string())
    }
}

/// The runtime library, loaded once for the life of the process.
#[derive(Clone)]
pub struct Runtime {
    environment: Arc<ort::environment::Environment>,
}

impl Runtime {
    /// Loads the library at this path, or gives what an earlier call has loaded: a process holds
    /// one.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        static LOADED: OnceLock<Runtime> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded.clone());
        }
        let refuse = |reason: String| ModelError::Library { path: path.to_owned(), reason };
        let builder = ort::init_from(path).map_err(|e| refuse(e.to_string()))?;
        let environment = builder.with_name("signd").with_telemetry(false).build();
        let environment = Arc::new(environment.map_err(|e| refuse(e.to_string()))?);
        Ok(LOADED.get_or_init(|| Runtime { environment }).clone())
    }

    /// The runtime's environment, of which a process has only one: whoever measures a bare session
    /// against [`Model`] needs it too.
    pub fn environment(&self) -> &ort::environment::Environment {
        &self.environment
    }
}

/// What a model file says of itself.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name and version.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// What its rows hold.
    pub kind: RowKind,
    /// Most rows a call takes.
    pub window: usize,
    /// Divides the logits.
    pub temperature: f32,
    /// Names of the outputs.
    pub labels: Arc<Labels>,
}

/// A model ready to run.
pub struct Model {
    card: Card,
    session: Session,
    /// The input has a leading batch axis.
    batched: bool,
    logits: Vec<f32>,
}

impl Model {
    /// Opens a model file, checks it against its contract and runs it once.
    pub fn open(runtime: &Runtime, path: &Path) -> Result<Model, ModelError> {
        let file = |source| ModelError::File { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(file)?.len();
        if size > MAX_BYTES {
            let big = format!("{size} bytes (at most {MAX_BYTES})");
            return Err(file(std::io::Error::other(big)));
        }
        // Read here and handed over as bytes: what is digested is what runs, and a graph that
        // points to further files on disk finds none.
        let bytes = std::fs::read(path).map_err(file)?;
        let digest = format!("{:x}", Sha256::digest(&bytes));
        // One thread and no spinning: a box next to a camera has other work. Without arena and
        // memory pattern, memory stays flat over reloads.
        let session = Session::builder(&runtime.environment)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_memory_pattern(false)?
            .commit_from_memory(&bytes)?;
        let card = read_card(&session, digest)?;
        let batched = check_input(&session, &card.kind)?;
        let mut model = Model { card, session, batched, logits: Vec::new() };
        model.warm_up()?;
        Ok(model)
    }

    /// What the file says of itself.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Numbers in a row.
    pub fn row_width(&self) -> usize {
        self.card.kind.width()
    }

    /// Most rows a call takes.
    pub fn window(&self) -> usize {
        self.card.window
    }

    /// Names of the outputs.
    pub fn labels(&self) -> &Arc<Labels> {
        &self.card.labels
    }

    /// Logits for one stretch of rows (at least one): `[K]`, in the order of the labels.
    pub fn run(&mut self, rows: &[f32]) -> Result<&[f32], ModelError> {
        let width = self.card.kind.width();
        let t = (rows.len() / width) as i64;
        let shape: &[i64] = match (&self.card.kind, self.batched) {
            (RowKind::Features { .. }, _) => &[1, t, width as i64],
            (RowKind::Landmarks, true) => &[1, t, POINTS as i64, 3],
            (RowKind::Landmarks, false) => &[t, POINTS as i64, 3],
        };
        let input = TensorRef::from_array_view((shape, rows))?;
        let outputs = self.session.run(ort::inputs![input])?;
        let (_, logits) = outputs[0].try_extract_tensor::<f32>()?;
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        Ok(&self.logits)
    }

    /// The first run allocates; it also shows whether the outputs fit the labels, which a file with
    /// symbolic shapes does not tell.
    fn warm_up(&mut self) -> Result<(), ModelError> {
        let rows = vec![f32::NAN; self.card.kind.width() * self.card.window.min(16)];
        let found = self.run(&rows)?.len();
        let labels = self.card.labels.names.len();
        if found == labels {
            return Ok(());
        }
        let expected = format!("{labels} logits, one per label");
        Err(ModelError::Shape { what: "output", expected, found: found.to_string() })
    }
}

fn read_card(session: &Session, digest: String) -> Result<Card, ModelError> {
    let metadata = session.metadata()?;
    let wrong = |key, expected: &str, found: Option<String>| ModelError::Metadata {
        key,
        expected: expected.to_owned(),
        found: found.map_or("nothing".into(), |found| format!("`{found}`")),
    };
    let text = |key: &'static str, expected: &str| {
        metadata.custom(key).ok_or_else(|| wrong(key, expected, None))
    };
    let number = |key: &'static str, expected: &str, low: f64, high: f64| {
        let found = text(key, expected)?;
        let parsed = found.trim().parse::<f64>().ok().filter(|x| (low..=high).contains(x));
        parsed.ok_or_else(|| wrong(key, expected, Some(found)))
    };

    let contract = text("signd.contract", "`features` or `landmarks`")?;
    let kind = match contract.as_str() {
        "features" => {
            let schema = text("signd.schema", "the name of a feature schema")?;
            let groups = text("signd.groups", "feature groups")?;
            let rate = number("signd.rate", "rows a second, 5 to 120", 5.0, 120.0)?;
            RowKind::Features { schema: Schema::parse(&schema, &groups)?, rate }
        }
        "landmarks" => RowKind::Landmarks,
        _ => return Err(wrong("signd.contract", "`features` or `landmarks`", Some(contract))),
    };
    let list = text("signd.labels", "a JSON list of names")?;
    let names: Vec<String> = serde_json::from_str(&list)
        .map_err(|_| wrong("signd.labels", "a JSON list of names", Some(list.clone())))?;
    let no_sign = match metadata.custom("signd.no_sign") {
        None => None,
        Some(name) => match names.iter().position(|label| *label == name) {
            Some(i) => Some(i),
            None => return Err(wrong("signd.no_sign", "one of the labels", Some(name))),
        },
    };
    if names.is_empty() || names.len() > usize::from(u16::MAX) {
        return Err(wrong("signd.labels", "1 to 65535 names", Some(names.len().to_string())));
    }
    let temperature = match metadata.custom("signd.temperature") {
        None => 1.0,
        Some(_) => number("signd.temperature", "a number, 0.01 to 100", 0.01, 100.0)?,
    };
    Ok(Card {
        name: text("signd.name", "name and version of the model")?,
        digest,
        kind,
        window: number("signd.window", "rows, 1 to 1024", 1.0, 1024.0)? as usize,
        temperature: temperature as f32,
        labels: Arc::new(Labels { names, no_sign }),
    })
}

/// Whether the input has a batch axis; an error when it does not fit the contract.
fn check_input(session: &Session, kind: &RowKind) -> Result<bool, ModelError> {
    let shape: Vec<i64> = match session.inputs().first().map(|input| input.dtype()) {
        Some(ValueType::Tensor { shape, .. }) => shape.iter().copied().collect(),
        _ => Vec::new(),
    };
    let fits = |expected: &[i64]| {
        shape.len() == expected.len()
            && shape.iter().zip(expected).all(|(a, b)| *a == -1 || *b == -1 || a == b)
    };
    let points = POINTS as i64;
    let (fit, expected) = match kind {
        RowKind::Features { schema, .. } => {
            let width = schema.width() as i64;
            (fits(&[1, -1, width]), format!("[1, T, {width}] ({})", schema.names()))
        }
        RowKind::Landmarks => (
            fits(&[-1, points, 3]) || fits(&[1, -1, points, 3]),
            "[T, 543, 3] or [1, T, 543, 3]".into(),
        ),
    };
    if fit && session.inputs().len() == 1 {
        return Ok(shape.len() == 4);
    }
    Err(ModelError::Shape {
        what: "input",
        expected,
        found: format!("{} inputs, first {shape:?}", session.inputs().len()),
    })
}
