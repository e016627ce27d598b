//! Settings: from layers of raw values to checked ones.
//!
//! The table of defaults is `conf/signd.toml` itself, built into the program, so the documented
//! defaults are the real ones. Over it come a file, the environment and flags.

mod checked;
mod error;
mod ranges;
mod raw;
mod sources;

use std::path::PathBuf;

use config::{Config, ConfigError, Environment, File, FileFormat};

pub use error::SettingsError;

use raw::RawSettings;

use crate::endpoint::SocketEndpoint;
use crate::ingest::IngestSettings;
use crate::keys::KeySettings;
use crate::keys::policy::{KeyPolicy, KeyPolicyError};
use crate::observe::HttpSettings;
use crate::publish::PublishSettings;
use crate::recorder::RecordSettings;
use signd_core::stream::CoreSettings;
use signd_engine::inference::decide::DecideSettings;
use signd_engine::model::ModelCard;
use signd_engine::recording::RunDigests;

/// The documented defaults.
const DEFAULTS: &str = include_str!("../../conf/signd.toml");

/// All settings, parsed and checked, by the part that they are for.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where frames come in.
    pub ingest: IngestSettings,
    /// Where events go out.
    pub publish: PublishSettings,
    /// The model file. None: look in the usual places.
    pub model: Option<PathBuf>,
    /// ONNX Runtime's library. None: look in the usual places.
    pub runtime: Option<PathBuf>,
    /// Recording of the run.
    pub record: Option<RecordSettings>,
    /// Who may send and who may see.
    pub keys: KeySettings,
    /// Metrics, health and the page.
    pub http: HttpSettings,
    /// Stages 2 to 4.
    pub core: CoreSettings,
    /// Decisions.
    pub decide: DecideSettings,
}

/// Values given on the command line; each wins over all other layers.
#[derive(Clone, Debug, Default)]
pub struct SettingsFlags {
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
    pub fn load(flags: &SettingsFlags) -> Result<Settings, SettingsError> {
        let prefix = |name: &str| name.to_lowercase().starts_with("signd_");
        let ours = std::env::vars_os().filter(|(name, _)| prefix(&name.to_string_lossy()));
        let mut variables = Vec::new();
        for (name, value) in ours {
            let name = name.to_string_lossy().into_owned();
            let value = value.into_string().map_err(|_| SettingsError::Text(name.clone()))?;
            variables.push((name, value));
        }
        Self::layers(flags, variables)
    }

    fn layers(
        flags: &SettingsFlags,
        variables: Vec<(String, String)>,
    ) -> Result<Settings, SettingsError> {
        let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
        let table = Config::builder().add_source(defaults.clone()).build()?.cache;
        let mut layers = Config::builder().add_source(defaults);
        if let Some(path) = &flags.config {
            layers = layers.add_source(sources::file(path, &table)?);
        }
        let flag = |name, value: Option<String>| value.map(|value| sources::flag(name, value));
        let mut layers = layers
            .add_source(sources::environment(variables, &reader(), &table)?)
            .set_override_option("publish", flag("--publish", flags.publish.clone()))?
            .set_override_option("http.listen", flag("--http", flags.http.clone()))?;
        if !flags.ingest.is_empty() {
            layers =
                layers.set_override("ingest", sources::flag("--ingest", flags.ingest.clone()))?;
        }
        let config = layers.build()?;
        let settings = sources::whole(&config.cache, &table).and_then(|()| {
            let raw: Result<RawSettings, ConfigError> = config.clone().try_deserialize();
            let mut raw = raw.map_err(SettingsError::of_type)?;
            // Beside the layers, which know text only: a path need not be UTF-8.
            for (path, flag) in [
                (&mut raw.model, &flags.model),
                (&mut raw.runtime, &flags.runtime),
                (&mut raw.record.path, &flags.record),
            ] {
                if let Some(flag) = flag {
                    path.clone_from(flag);
                }
            }
            ranges::check(&config)?;
            Settings::try_from(raw)
        });
        settings.map_err(|error| error.with_origin(&config))
    }

    /// The endpoints that the daemon binds, each with what it is for.
    pub fn bound(&self) -> Vec<(&'static str, SocketEndpoint)> {
        let inputs = self.ingest.inputs.iter().filter(|input| !input.connect);
        let inputs = inputs.map(|input| ("ingest", input.endpoint.clone()));
        let page = self.http.listen.map(|at| ("http", at.into()));
        inputs.chain([("publish", self.publish.endpoint.clone())]).chain(page).collect()
    }

    /// Reads the daemon's key and checks that every endpoint is guarded as far as it has to be.
    pub fn key_policy(&self) -> Result<KeyPolicy, KeyPolicyError> {
        KeyPolicy::load(&self.keys, &self.publish.endpoint, &self.ingest.inputs)
    }

    /// What a run with these settings and this model follows from.
    pub fn run_digests(&self, model: &ModelCard) -> RunDigests {
        RunDigests::of(model, &self.core, &self.decide)
    }
}

/// How a variable of the environment is read.
fn reader() -> Environment {
    Environment::with_prefix("SIGND")
        .prefix_separator("_")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("ingest")
        .with_list_parse_key("http.hosts")
        .with_list_parse_key("decide.allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
        let variables = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("x.toml");
        std::fs::write(&path, file).expect("written");
        let flags = SettingsFlags { config: Some(path), ..SettingsFlags::default() };
        Settings::layers(&flags, variables.collect())
    }

    #[test]
    fn the_documented_defaults_are_complete_and_valid() {
        let settings = with(&[], "").expect("valid");
        let ingest: Vec<String> = settings.ingest.inputs.iter().map(ToString::to_string).collect();
        assert_eq!(ingest, ["tcp://127.0.0.1:5556"]);
        assert_eq!(settings.publish.endpoint.to_string(), "tcp://127.0.0.1:5557");
    }

    #[test]
    fn the_environment_wins_over_the_file_also_in_sections() {
        let file = "[core.segment]\nmax_ms = 3000.0\nmin_ms = 100.0";
        let settings = with(&[("SIGND_CORE__SEGMENT__MAX_MS", "2500")], file).expect("valid");
        assert_eq!((settings.core.segment.max_ms, settings.core.segment.min_ms), (2500.0, 100.0));
    }

    // In every error what has to be mended is named as its author wrote it.
    #[test]
    fn unknown_keys_and_values_out_of_range_are_named_with_where_they_come_from() {
        let error = |environment: &[(&str, &str)], file: &str| {
            with(environment, file).expect_err("refused").to_string()
        };
        for (environment, file, said) in [
            (&[][..], "max_streams = 0", "max_streams = 0 (expected 1 to 1024), set by FILE"),
            (
                &[("SIGND_MAX_STREAMS", "0")],
                "",
                "max_streams = 0 (expected 1 to 1024), set by the environment variable \
                 SIGND_MAX_STREAMS",
            ),
            (
                &[("SIGND_CORE__GATE__APPEAR_MS", "soon")],
                "max_streams = 3",
                "core.gate.appear_ms: expected a floating point, found string \"soon\", set by the \
                 environment variable SIGND_CORE__GATE__APPEAR_MS",
            ),
            (
                &[],
                "[core.gate]\nappear = 3",
                "`core.gate.appear` in FILE names no setting. The closest is `core.gate.appear_ms`",
            ),
            (
                &[("SIGND_CORE__GAT__APPEAR_MS", "3")],
                "",
                "the environment variable SIGND_CORE__GAT__APPEAR_MS names no setting. The closest \
                 is SIGND_CORE__GATE__APPEAR_MS",
            ),
            (
                &[("SIGND_CORE_GAP_MS", "300")],
                "",
                "the environment variable SIGND_CORE_GAP_MS names no setting. The closest is \
                 SIGND_CORE__GAP_MS",
            ),
            (&[("SIGND_XYZZY", "3")], "", "the environment variable SIGND_XYZZY names no setting"),
            (
                &[("SIGND_GONE_MS", "1500")],
                "stall_ms = 2000",
                "gone_ms = 1500, set by the environment variable SIGND_GONE_MS, and stall_ms = 2000, \
                 set by FILE: expected stall_ms to be gone_ms at most",
            ),
            (
                &[],
                "publish = \"tcp://localhost:5556\"",
                "ingest = tcp://127.0.0.1:5556, and publish = tcp://localhost:5556, set by FILE: \
                 expected two different endpoints",
            ),
            (
                &[("SIGND_INGEST", "127.0.0.1:5556")],
                "",
                "ingest[0]: 127.0.0.1:5556 has no scheme: write tcp://127.0.0.1:5556, set by the \
                 environment variable SIGND_INGEST",
            ),
            (
                &[],
                "encoding = \"xml\"",
                "encoding: expected \"msgpack\" or \"json\", found \"xml\", set by FILE",
            ),
            (
                &[],
                "[keys.clients.Cam-1]\npublish = []",
                "keys.clients.Cam-1: `key` is missing, set by FILE",
            ),
            (
                &[("SIGND_KEYS__CLIENTS__CAM__KEY", "x")],
                "",
                "keys.clients.cam.key: not a public key: 40 characters of Z85, as `signd keygen` \
                 prints it, set by the environment variable SIGND_KEYS__CLIENTS__CAM__KEY",
            ),
            (
                &[],
                "decide.thresholds.car = 2.0",
                "decide.thresholds = car: 2 (expected 0 to 1), set by FILE",
            ),
        ] {
            let found = error(environment, file);
            let path = found.split([' ', ',', ':']).find(|word| word.ends_with("x.toml"));
            let found = match path {
                Some(path) => found.replace(&format!("the file {path}"), "FILE"),
                None => found,
            };
            assert_eq!(found, format!("configuration: {said}"));
        }
        for (file, words) in [
            ("http.listen = \"localhost:5558\"", "http.listen"),
            ("http.hosts = [\"http://a.example/\"]", "http.hosts"),
            ("ingest = [\"carrier-pigeon:x\"]", "ingest"),
            ("[core.segment]\nmin_ms = 3000\nmax_ms = 1000", "core.segment.min_ms = 3000"),
            ("[core.segment]\nenter = 0.3", "core.segment.leave = 0.4"),
            ("[keys.clients.Cam-1]\nkey = \"x\"\nsubscribes = true", "subscribes"),
            ("ingest = []", "at least one input"),
            ("max_streams = 1.5", "max_streams: expected a whole number, found 1.5"),
            ("core.gap_ms = true", "core.gap_ms: expected a number, found true"),
            ("publish = \"tcp://", "line 1"),
        ] {
            assert!(error(&[], file).contains(words), "{file}: {}", error(&[], file));
        }
    }

    #[test]
    fn a_flag_is_named_and_wins() {
        let flags = |publish: &str| SettingsFlags {
            publish: Some(publish.into()),
            ..SettingsFlags::default()
        };
        let environment = || vec![("SIGND_PUBLISH".into(), "tcp://127.0.0.1:1".into())];
        let settings = Settings::layers(&flags("tcp://[::1]:2"), environment()).expect("valid");
        assert_eq!(settings.publish.endpoint.to_string(), "tcp://[::1]:2");
        let error = Settings::layers(&flags("tcp://::"), environment()).expect_err("refused");
        assert!(error.to_string().ends_with("set by the flag --publish"), "{error}");
        let flags = SettingsFlags { ingest: vec!["tcp://x".into()], ..SettingsFlags::default() };
        let error = Settings::layers(&flags, Vec::new()).expect_err("refused").to_string();
        assert!(error.ends_with("set by the flag --ingest"), "{error}");
    }
}
