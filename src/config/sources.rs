//! The layers of raw values, each value with its origin: a file, a variable of the environment or a
//! flag. So an error names what has to be mended.

use std::path::Path;

use config::{Config, ConfigError, Environment, File, FileFormat, Map, Source, Value, ValueKind};

use super::SettingsError;

/// Keys less alike than this are not taken for a slip, 0..1.
const ALIKE: f64 = 0.75;

/// Values of one layer, by key. A key may be dotted.
#[derive(Clone, Debug)]
pub struct SettingsLayer(Map<String, Value>);

impl Source for SettingsLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// A file's values.
pub fn file(path: &Path, defaults: &Value) -> Result<SettingsLayer, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        SettingsError::File(format!("{} cannot be read: {error}", path.display()))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let values = File::from_str(text, FileFormat::Toml).collect();
    let values =
        values.map_err(|error| SettingsError::File(format!("{}: {error}", path.display())))?;
    let origin = format!("the file {}", path.display());
    for (key, value) in sorted(&values) {
        known(key, value, defaults).map_err(|key| {
            let closest = closest(&key, defaults).map(|key| format!("`{key}`"));
            SettingsError::unknown(format!("`{key}` in {origin}"), closest)
        })?;
    }
    Ok(SettingsLayer(values.into_iter().map(|(key, value)| (key, of(&origin, value))).collect()))
}

/// The values of these variables, of which others than `SIGND_...` are left out.
pub fn environment(
    variables: Vec<(String, String)>,
    reader: &Environment,
    defaults: &Value,
) -> Result<SettingsLayer, SettingsError> {
    let mut layer = Map::new();
    for (name, text) in variables {
        let origin = format!("the environment variable {name}");
        // One at a time, so that it is known which value is whose.
        let one = Map::from_iter([(name, text)]);
        for (key, value) in reader.clone().source(Some(one)).collect()? {
            known(&key, &value, defaults).map_err(|key| {
                let variable =
                    |key: String| format!("SIGND_{}", key.to_uppercase().replace('.', "__"));
                SettingsError::unknown(origin.clone(), closest(&key, defaults).map(variable))
            })?;
            layer.insert(key, of(&origin, value));
        }
    }
    Ok(SettingsLayer(layer))
}

/// A flag's value.
pub fn flag(name: &str, value: impl Into<ValueKind>) -> Value {
    of(&format!("the flag {name}"), Value::new(None, value))
}

/// Where the value of a key comes from; nothing for a default. An item of a list comes from where
/// the list does, a table from where its first value does.
pub fn origin(config: &Config, key: &str) -> Option<String> {
    fn first(value: &Value) -> Option<&str> {
        match &value.kind {
            ValueKind::Table(table) => table.values().find_map(first),
            _ => value.origin(),
        }
    }
    let key = key.split('[').next().unwrap_or(key);
    let mut at = &config.cache;
    for part in key.split('.') {
        let ValueKind::Table(table) = &at.kind else { break };
        at = table.get(part)?;
    }
    first(at).map(str::to_owned)
}

/// The same value with this origin, also inside.
fn of(origin: &String, value: Value) -> Value {
    let kind = match value.kind {
        ValueKind::Table(table) => ValueKind::Table(
            table.into_iter().map(|(key, value)| (key, of(origin, value))).collect(),
        ),
        ValueKind::Array(array) => {
            ValueKind::Array(array.into_iter().map(|value| of(origin, value)).collect())
        }
        kind => kind,
    };
    Value::new(Some(origin), kind)
}

/// Whether the defaults have every key of this value; if not, the first that they have not. Their
/// empty tables, as `decide.thresholds`, take any.
fn known(key: &str, value: &Value, defaults: &Value) -> Result<(), String> {
    let mut at = defaults;
    for part in key.split('.') {
        match &at.kind {
            ValueKind::Table(table) if table.is_empty() => return Ok(()),
            ValueKind::Table(table) => at = table.get(part).ok_or_else(|| key.to_owned())?,
            _ => return Err(key.to_owned()),
        }
    }
    match (&value.kind, &at.kind) {
        (ValueKind::Table(table), ValueKind::Table(_)) => sorted(table)
            .into_iter()
            .try_for_each(|(name, value)| known(&format!("{key}.{name}"), value, defaults)),
        _ => Ok(()),
    }
}

/// In the order of the keys, so that the same file leads to the same error.
fn sorted(table: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<_> = table.iter().collect();
    all.sort_by_key(|(key, _)| *key);
    all
}

/// Refuses numbers that the reader would bend into what is asked for: 1.5 or true into an integer.
pub fn whole(config: &Value, defaults: &Value) -> Result<(), SettingsError> {
    fn look(path: &str, value: &Value, default: &Value) -> Result<(), SettingsError> {
        let expected = match &default.kind {
            ValueKind::Table(defaults) => {
                let ValueKind::Table(values) = &value.kind else { return Ok(()) };
                return defaults.iter().try_for_each(|(name, default)| {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    values.get(name).map_or(Ok(()), |value| look(&path, value, default))
                });
            }
            ValueKind::I64(_) => "a whole number",
            ValueKind::Float(_) => "a number",
            _ => return Ok(()),
        };
        match &value.kind {
            ValueKind::Float(found) if found.fract() != 0.0 && expected == "a whole number" => {}
            ValueKind::Boolean(_) => {}
            _ => return Ok(()),
        }
        Err(SettingsError::reason(path, format!("expected {expected}, found {value}")))
    }
    look("", config, defaults)
}

/// The key that was meant, if one is near.
fn closest(key: &str, defaults: &Value) -> Option<String> {
    fn keys(at: &Value, path: &str, all: &mut Vec<String>) {
        let ValueKind::Table(table) = &at.kind else { return all.push(path.to_owned()) };
        for (name, value) in table {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            keys(value, &path, all);
        }
    }
    let mut all = Vec::new();
    keys(defaults, "", &mut all);
    // `core_gap_ms` for `core.gap_ms` is the commonest slip, a key without its section the next.
    let letters = |key: &str| key.replace(['.', '_', '-'], "").to_lowercase();
    let last = |key: &str| letters(key.rsplit('.').next().unwrap_or(key));
    let alike = |candidate: &String| {
        let whole = strsim::normalized_levenshtein(&letters(key), &letters(candidate));
        whole.max(strsim::normalized_levenshtein(&last(key), &last(candidate)) - 0.1)
    };
    let scored = all.into_iter().map(|candidate| (alike(&candidate), candidate));
    let best = scored.max_by(|(a, first), (b, second)| a.total_cmp(b).then(second.cmp(first)));
    best.filter(|(alike, _)| *alike >= ALIKE).map(|(_, key)| key)
}
