//! Why settings cannot be used, and where the value that has to be mended comes from.

use config::{Config, ConfigError};

use super::sources;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file that cannot be read, or is not TOML.
    #[error("configuration: {0}")]
    File(String),
    /// A key that there is not; what was meant, if something is near.
    #[error("configuration: {0} names no setting{1}")]
    Unknown(String, String),
    /// A variable of the environment that is not text.
    #[error("configuration: the environment variable {0} is not UTF-8")]
    Text(String),
    /// A value that cannot be used, or of the wrong type.
    #[error("configuration: {key}: {reason}{origin}")]
    Type {
        /// The key.
        key: String,
        /// What was expected and found.
        reason: String,
        /// Where the value comes from.
        origin: ValueOrigin,
    },
    /// A value out of its range.
    #[error("configuration: {key} = {found} (expected {expected}){origin}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
        /// Where the value comes from.
        origin: ValueOrigin,
    },
    /// Two values that do not go together.
    #[error("configuration: {}, and {}: expected {expected}", pair[0], pair[1])]
    Conflict {
        /// Both.
        pair: Box<[KeyedValue; 2]>,
        /// What they may be.
        expected: String,
    },
    /// A layer that cannot be read for another reason.
    #[error("configuration: {0}")]
    Layer(#[from] ConfigError),
}

/// Where a value comes from, in words; empty for a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueOrigin(Option<String>);

impl std::fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(origin) => write!(f, ", set by {origin}"),
            None => Ok(()),
        }
    }
}

/// A value, its key and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedValue {
    key: &'static str,
    value: String,
    origin: ValueOrigin,
}

impl std::fmt::Display for KeyedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}{}", self.key, self.value, self.origin)
    }
}

impl SettingsError {
    /// A value out of its range.
    pub(super) fn range(
        key: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> SettingsError {
        let origin = ValueOrigin::default();
        SettingsError::Range { key, found: found.to_string(), expected: expected.into(), origin }
    }

    /// Two values that do not go together.
    pub(super) fn conflict(
        pair: [(&'static str, String); 2],
        expected: impl Into<String>,
    ) -> SettingsError {
        let pair =
            pair.map(|(key, value)| KeyedValue { key, value, origin: ValueOrigin::default() });
        SettingsError::Conflict { pair: Box::new(pair), expected: expected.into() }
    }

    pub(super) fn unknown(what: String, closest: Option<String>) -> SettingsError {
        let closest = closest.map_or(String::new(), |key| format!(". The closest is {key}"));
        SettingsError::Unknown(what, closest)
    }

    /// With where the values come from, as far as that is known.
    pub(super) fn with_origin(mut self, config: &Config) -> SettingsError {
        let find = |key: &str| ValueOrigin(sources::origin(config, key));
        match &mut self {
            SettingsError::Type { key, origin, .. } => *origin = find(key),
            SettingsError::Range { key, origin, .. } => *origin = find(key),
            SettingsError::Conflict { pair, .. } => {
                pair.iter_mut().for_each(|value| value.origin = find(value.key));
            }
            _ => {}
        }
        self
    }

    /// A value that cannot be used, for this reason.
    pub(super) fn reason(key: impl Into<String>, reason: impl Into<String>) -> SettingsError {
        SettingsError::Type {
            key: key.into(),
            reason: reason.into(),
            origin: ValueOrigin::default(),
        }
    }

    /// An error of deserialization, in our words.
    pub(super) fn of_type(error: ConfigError) -> SettingsError {
        match error {
            ConfigError::Type { unexpected, expected, key: Some(key), .. } => {
                SettingsError::reason(key, format!("expected {expected}, found {unexpected}"))
            }
            ConfigError::At { error, key: Some(key), .. } => {
                let reason = error.to_string();
                // Errors of `keys.clients` name the very key themselves.
                match reason.split_once(": ") {
                    Some((named, reason)) if named.starts_with(&key) => {
                        SettingsError::reason(named, reason)
                    }
                    _ => SettingsError::reason(key, reason),
                }
            }
            ConfigError::NotFound(key) => match key.rsplit_once('.') {
                Some((table, key)) => SettingsError::reason(table, format!("`{key}` is missing")),
                None => SettingsError::reason(key, "it is missing"),
            },
            error => SettingsError::Layer(error),
        }
    }
}
