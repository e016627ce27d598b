//! What a model file says of itself, in its ONNX metadata.

use std::fmt;
use std::sync::Arc;

use ort::session::Session;

use super::ModelError;
use signd_core::event::ModelLabels;
use signd_core::features::Schema;
use signd_core::features::grid::RowKind;
use signd_core::segment::tagger::Tagger;
use signd_core::stream::ModelNeeds;

/// What a model takes and gives; see the [module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelContract {
    /// All rows of a sign at once, each the columns of a feature schema.
    Features,
    /// The same rows one by one, with a state between them.
    Stream,
    /// All frames of a sign at once, raw landmarks.
    Landmarks,
}

impl fmt::Display for ModelContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelContract::Features => "features",
            ModelContract::Stream => "stream",
            ModelContract::Landmarks => "landmarks",
        })
    }
}

/// Which model it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ModelIdentity {
    /// Name and version, as its file says.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// What a model file says of itself.
#[derive(Clone, Debug)]
pub struct ModelCard {
    /// Which model it is.
    pub identity: ModelIdentity,
    /// Who made it, if it says.
    pub author: Option<String>,
    /// What may be done with it, if it says.
    pub license: Option<String>,
    /// What it takes and gives.
    pub contract: ModelContract,
    /// What its rows hold.
    pub kind: RowKind,
    /// Most rows of a sign that it is to be asked about.
    pub window: usize,
    /// Divides the logits.
    pub temperature: f32,
    /// Least probability of a decided label, 0..1, as its calibration found; if it says.
    pub threshold: Option<f32>,
    /// What finds signs in its rows, if it brings that.
    pub tagger: Option<Arc<Tagger>>,
    /// Names of the outputs.
    pub labels: Arc<ModelLabels>,
}

impl ModelCard {
    /// Reads the metadata of a file with this digest, SHA-256 in hexadecimal.
    pub(super) fn read(session: &Session, sha256: String) -> Result<ModelCard, ModelError> {
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

        let contracts = "`features`, `stream` or `landmarks`";
        let contract = text("signd.contract", contracts)?;
        let contract = match contract.as_str() {
            "features" => ModelContract::Features,
            "stream" => ModelContract::Stream,
            "landmarks" => ModelContract::Landmarks,
            _ => return Err(wrong("signd.contract", contracts, Some(contract))),
        };
        let kind = match contract {
            ModelContract::Features | ModelContract::Stream => {
                let schema = text("signd.schema", "the name of a feature schema")?;
                let groups = text("signd.groups", "feature groups")?;
                let rate = number("signd.rate", "rows a second, 5 to 120", 5.0, 120.0)?;
                RowKind::Features { schema: Schema::parse(&schema, &groups)?, rate }
            }
            ModelContract::Landmarks => RowKind::Landmarks,
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
        let optional = |key: &'static str, expected: &str, low: f64, high: f64| {
            let there = metadata.custom(key).is_some();
            there.then(|| number(key, expected, low, high)).transpose()
        };
        let temperature = optional("signd.temperature", "a number, 0.01 to 100", 0.01, 100.0)?;
        let threshold = optional("signd.threshold", "a probability, 0 to 1", 0.0, 1.0)?;
        let tagger = match (&kind, metadata.custom("signd.tagger")) {
            (RowKind::Features { .. }, Some(written)) => {
                let read = Tagger::parse(&written, kind.width());
                let damaged = |why| wrong("signd.tagger", "a tagger", Some(why));
                Some(Arc::new(read.map_err(damaged)?))
            }
            _ => None,
        };
        Ok(ModelCard {
            identity: ModelIdentity {
                name: text("signd.name", "name and version of the model")?,
                sha256,
            },
            author: metadata.custom("signd.author"),
            license: metadata.custom("signd.license"),
            contract,
            kind,
            window: number("signd.window", "rows, 1 to 1024", 1.0, 1024.0)? as usize,
            temperature: temperature.unwrap_or(1.0) as f32,
            threshold: threshold.map(|p| p as f32),
            tagger,
            labels: Arc::new(ModelLabels { names, no_sign }),
        })
    }

    /// What the model asks of the core.
    #[must_use]
    pub fn needs(&self) -> ModelNeeds {
        ModelNeeds { kind: self.kind.clone(), tagger: self.tagger.clone() }
    }
}
