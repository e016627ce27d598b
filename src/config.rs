//! Settings: from layers of raw values to checked ones.
//!
//! The table of defaults is `conf/signd.toml` itself, built into the program, so the documented
//! defaults are the real ones. Over it come a file, the environment and flags.

use std::path::PathBuf;

use config::{Config, Environment, File, FileFormat};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::infer::decide::DecideSettings;
use crate::ingest::Input;
use crate::keys::KeySettings;
use crate::observe::{HttpSettings, guard};
use crate::run::record::RecordSettings;
use crate::stream::CoreSettings;
use crate::wire::events::Encoding;

/// The documented defaults.
const DEFAULTS: &str = include_str!("../conf/signd.toml");

/// All settings; `conf/signd.toml` documents each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where frames come in, as written; see [`Settings::inputs`].
    pub ingest: Vec<String>,
    /// Where events go out.
    pub publish: String,
    /// How events are written.
    pub encoding: Encoding,
    /// Events kept for a slow subscriber.
    pub high_water_mark: i32,
    /// The model file; empty: look in the usual places.
    pub model: PathBuf,
    /// ONNX Runtime's library; empty: look in the usual places.
    pub runtime: PathBuf,
    /// Recording of the run.
    pub record: RecordSettings,
    /// Who may send and who may see.
    pub keys: KeySettings,
    /// Metrics, health and the page.
    pub http: HttpSettings,
    /// Most streams at once.
    pub max_streams: usize,
    /// Silence after which a stream is stalled, ms.
    pub stall_ms: u64,
    /// Silence after which a stream is gone, ms.
    pub gone_ms: u64,
    /// Stages 2 to 4.
    pub core: CoreSettings,
    /// Decisions.
    pub decide: DecideSettings,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A layer does not parse, or names an unknown key.
    #[error("configuration: {0}")]
    Layer(#[from] config::ConfigError),
    /// A value out of its range.
    #[error("configuration: {key} = {found} (expected {expected})")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
}

/// Values given on the command line; each wins over all other layers.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Configuration file.
    pub config: Option<PathBuf>,
    /// Replaces the list of inputs when not empty.
    pub ingest: Vec<String>,
    /// Replaces the publish endpoint.
    pub publish: Option<String>,
    /// Replaces the model file.
    pub model: Option<PathBuf>,
    /// Replaces ONNX Runtime's library.
    pub runtime: Option<PathBuf>,
    /// Replaces the recording.
    pub record: Option<PathBuf>,
    /// Replaces the HTTP endpoint.
    pub http: Option<String>,
}

impl Settings {
    /// Reads all layers and checks the result.
    pub fn load(flags: &Flags) -> Result<Settings, SettingsError> {
        let environment = Environment::with_prefix("SIGND")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("ingest")
            .with_list_parse_key("http.hosts")
            .with_list_parse_key("decide.allow");
        Self::layers(flags, environment)
    }

    fn layers(flags: &Flags, environment: Environment) -> Result<Settings, SettingsError> {
        let mut layers = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = &flags.config {
            layers = layers.add_source(File::from(path.as_path()).format(FileFormat::Toml));
        }
        let mut layers = layers
            .add_source(environment)
            .set_override_option("publish", flags.publish.clone())?
            .set_override_option("http.listen", flags.http.clone())?;
        if !flags.ingest.is_empty() {
            layers = layers.set_override("ingest", flags.ingest.clone())?;
        }
        let mut settings: Settings = layers.build()?.try_deserialize()?;
        // Beside the layers, which know text only: a path need not be UTF-8.
        for (path, flag) in [
            (&mut settings.model, &flags.model),
            (&mut settings.runtime, &flags.runtime),
            (&mut settings.record.path, &flags.record),
        ] {
            if let Some(flag) = flag {
                path.clone_from(flag);
            }
        }
        settings.check()?;
        Ok(settings)
    }

    /// The inputs, parsed.
    pub fn inputs(&self) -> Result<Vec<Input>, SettingsError> {
        self.ingest
            .iter()
            .map(|text| text.parse().map_err(|expected: String| range("ingest", text, expected)))
            .collect()
    }

    /// SHA-256, in hexadecimal, of the settings that events follow from.
    pub fn digest(&self) -> String {
        // Plain numbers, texts and maps: writing them to memory cannot fail.
        let text = serde_json::to_vec(&(&self.core, &self.decide)).unwrap_or_default();
        format!("{:x}", Sha256::digest(&text))
    }

    fn check(&self) -> Result<(), SettingsError> {
        self.inputs()?;
        if self.ingest.is_empty() {
            return Err(range("ingest", "[]", "at least one input"));
        }
        let listen = self.http.address();
        listen.map_err(|expected| range("http.listen", &self.http.listen, expected))?;
        if let Some(host) = self.http.hosts.iter().find(|host| guard::parse(host).is_err()) {
            return Err(range("http.hosts", host, "NAME or NAME:PORT"));
        }
        let (core, gate, segment) = (&self.core, &self.core.gate, &self.core.segment);
        let ranges: [(&'static str, f64, f64, f64); 29] = [
            ("high_water_mark", f64::from(self.high_water_mark), 1.0, 1e6),
            ("max_streams", self.max_streams as f64, 1.0, 1024.0),
            ("stall_ms", self.stall_ms as f64, 100.0, 60_000.0),
            ("gone_ms", self.gone_ms as f64, 1000.0, 86_400_000.0),
            ("record.max_mb", self.record.max_mb as f64, 1.0, 1e6),
            ("record.keep", self.record.keep.into(), 1.0, 1000.0),
            ("core.gap_ms", core.gap_ms, 100.0, 60_000.0),
            ("core.gate.appear_ms", gate.appear_ms, 0.0, 1000.0),
            ("core.gate.hangover_ms", gate.hangover_ms, 0.0, 2000.0),
            ("core.gate.memory_s", gate.memory_s, 0.1, 60.0),
            ("core.gate.switch_margin", gate.switch_margin, 0.0, 1.0),
            ("core.gate.rest_line", gate.rest_line, 0.0, 5.0),
            ("core.segment.enter", segment.enter.into(), 0.0, 1.0),
            ("core.segment.leave", segment.leave.into(), 0.0, segment.enter.into()),
            ("core.segment.start_speed", segment.start_speed.into(), 0.0, 20.0),
            ("core.segment.still_speed", segment.still_speed.into(), 0.0, 20.0),
            ("core.segment.arrived", segment.arrived.into(), 0.0, 1.0),
            ("core.segment.lead_in_ms", segment.lead_in_ms, 0.0, 2000.0),
            ("core.segment.still_ms", segment.still_ms, 0.0, 5000.0),
            ("core.segment.offset_ms", segment.offset_ms, 0.0, 5000.0),
            ("core.segment.post_roll_ms", segment.post_roll_ms, 0.0, 2000.0),
            ("core.segment.pre_roll_ms", segment.pre_roll_ms, 0.0, 2000.0),
            ("core.segment.min_ms", segment.min_ms, 0.0, 5000.0),
            ("core.segment.max_ms", segment.max_ms, 500.0, 7000.0),
            ("decide.early_ms", self.decide.early_ms, 0.0, 5000.0),
            ("decide.top", self.decide.top as f64, 1.0, 10.0),
            ("decide.threshold", self.decide.threshold.into(), 0.0, 1.0),
            ("gone_ms", self.gone_ms as f64, self.stall_ms as f64, 86_400_000.0),
            (
                "core.segment.still_speed",
                segment.still_speed.into(),
                0.0,
                segment.start_speed.into(),
            ),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(range(key, value, format!("{low} to {high}")));
            }
        }
        match self.decide.thresholds.values().find(|p| !(0.0..=1.0).contains(*p)) {
            Some(p) => Err(range("decide.thresholds", p, "0 to 1")),
            None => Ok(()),
        }
    }
}

fn range(key: &'static str, found: impl ToString, expected: impl Into<String>) -> SettingsError {
    SettingsError::Range { key, found: found.to_string(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
        let map = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let environment = Environment::with_prefix("SIGND")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .source(Some(map));
        let mut path = tempfile::NamedTempFile::new().expect("temporary file");
        std::io::Write::write_all(&mut path, file.as_bytes()).expect("written");
        let config = Some(path.path().to_owned());
        Settings::layers(&Flags { config, ..Flags::default() }, environment)
    }

    #[test]
    fn the_documented_defaults_are_complete_and_valid() {
        let settings = with(&[], "").expect("valid");
        assert_eq!(settings.ingest, ["tcp://127.0.0.1:5556"]);
        assert_eq!(settings.publish, "tcp://127.0.0.1:5557");
    }

    #[test]
    fn the_environment_wins_over_the_file_also_in_sections() {
        let file = "[core.segment]\nmax_ms = 3000.0\nmin_ms = 100.0";
        let settings = with(&[("SIGND_CORE__SEGMENT__MAX_MS", "2500")], file).expect("valid");
        assert_eq!((settings.core.segment.max_ms, settings.core.segment.min_ms), (2500.0, 100.0));
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_named() {
        let error = |environment: &[(&str, &str)], file: &str| {
            with(environment, file).expect_err("refused").to_string()
        };
        assert!(error(&[], "[core.gate]\nappear = 3").contains("appear"));
        assert!(error(&[("SIGND_CORE__GAT__APPEAR_MS", "3")], "").contains("gat"));
        assert_eq!(
            error(&[], "max_streams = 0"),
            "configuration: max_streams = 0 (expected 1 to 1024)"
        );
        assert!(error(&[], "http.listen = \"localhost:5558\"").contains("http.listen"));
        assert!(error(&[], "http.hosts = [\"http://a.example/\"]").contains("http.hosts"));
        assert!(error(&[], "ingest = [\"carrier-pigeon:x\"]").contains("ingest"));
        let client = |row: &str| error(&[], &format!("[keys.clients.Cam-1]\n{row}"));
        assert!(client("key = \"x\"").contains("keys.clients.Cam-1.key: not a public key"));
        assert!(client("key = \"x\"\nsubscribes = true").contains("subscribes"));
    }
}
