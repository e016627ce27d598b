//! Settings as their authors write them: what a layer of values is read into. [`super::Settings`] is
//! what the program works with.

use std::path::PathBuf;

use serde::Deserialize;

use crate::endpoint::{InputEndpoint, SocketEndpoint};
use crate::keys::clients::ClientTable;
use signd_core::stream::CoreSettings;
use signd_core::wire::events::EventEncoding;
use signd_engine::inference::decide::DecideSettings;

/// All values. `conf/signd.toml` documents each, with its unit and range. An empty path or text means
/// *not set*.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSettings {
    pub ingest: Vec<InputEndpoint>,
    pub publish: SocketEndpoint,
    #[serde(deserialize_with = "encoding")]
    pub encoding: EventEncoding,
    pub high_water_mark: i32,
    pub model: PathBuf,
    pub runtime: PathBuf,
    pub record: RawRecord,
    pub keys: RawKeys,
    pub http: RawHttp,
    pub max_streams: usize,
    pub stall_ms: u64,
    pub gone_ms: u64,
    pub core: CoreSettings,
    pub decide: DecideSettings,
}

/// `[record]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRecord {
    pub path: PathBuf,
    pub max_mb: u64,
    pub keep: u32,
}

/// `[keys]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawKeys {
    pub secret: PathBuf,
    pub loopback: bool,
    pub allow_open: bool,
    pub clients: ClientTable,
}

/// `[http]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHttp {
    pub listen: String,
    pub hosts: Vec<String>,
    pub show_landmarks: bool,
}

fn encoding<'de, D: serde::Deserializer<'de>>(from: D) -> Result<EventEncoding, D::Error> {
    match String::deserialize(from)?.as_str() {
        "msgpack" => Ok(EventEncoding::Msgpack),
        "json" => Ok(EventEncoding::Json),
        found => {
            let reason = format!("expected \"msgpack\" or \"json\", found {found:?}");
            Err(serde::de::Error::custom(reason))
        }
    }
}
