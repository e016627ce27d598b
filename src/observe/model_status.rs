//! The model at work, as `/status`, the metrics and the page tell of it.

use serde::{Deserialize, Serialize};
use signd_engine::model::ModelCard;

/// The model at work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelStatus {
    /// Name and version, as its file says.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its contract.
    pub contract: String,
    /// How many labels it knows.
    pub labels: usize,
}

impl From<&ModelCard> for ModelStatus {
    fn from(card: &ModelCard) -> Self {
        ModelStatus {
            name: card.identity.name.clone(),
            sha256: card.identity.sha256.clone(),
            contract: card.contract.to_string(),
            labels: card.labels.names.len(),
        }
    }
}
