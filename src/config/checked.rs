//! From values as they are written to settings that the program can rely on.

use std::path::PathBuf;
use std::time::Duration;

use super::raw::{RawHttp, RawKeys, RawRecord, RawSettings};
use super::{Settings, SettingsError};
use crate::endpoint::SocketEndpoint;
use crate::ingest::{IngestSettings, StreamLimits};
use crate::keys::KeySettings;
use crate::observe::HttpSettings;
use crate::publish::PublishSettings;
use crate::recorder::RecordSettings;

/// What `http.listen` may be.
const HTTP_ADDRESS: &str = "ADDRESS:PORT, as 127.0.0.1:5558 or [::1]:5558 without a name or scheme, \
                            or empty";

impl TryFrom<RawSettings> for Settings {
    type Error = SettingsError;

    /// Numbers are in their ranges already.
    fn try_from(raw: RawSettings) -> Result<Settings, SettingsError> {
        if raw.ingest.is_empty() {
            return Err(SettingsError::range("ingest", "[]", "at least one input"));
        }
        raw.publish.bindable().map_err(|reason| SettingsError::reason("publish", reason))?;
        let limits = StreamLimits {
            max_streams: raw.max_streams,
            stall: Duration::from_millis(raw.stall_ms),
            gone: Duration::from_millis(raw.gone_ms),
        };
        let settings = Settings {
            ingest: IngestSettings { inputs: raw.ingest, limits },
            publish: PublishSettings {
                endpoint: raw.publish,
                encoding: raw.encoding,
                high_water_mark: raw.high_water_mark,
            },
            model: path(raw.model),
            runtime: path(raw.runtime),
            record: record(raw.record),
            keys: keys(raw.keys),
            http: http(raw.http)?,
            core: raw.core,
            decide: raw.decide,
        };
        check_places(&settings)?;
        Ok(settings)
    }
}

fn path(path: PathBuf) -> Option<PathBuf> {
    Some(path).filter(|path| !path.as_os_str().is_empty())
}

fn record(RawRecord { path: file, max_mb, keep }: RawRecord) -> Option<RecordSettings> {
    path(file).map(|path| RecordSettings { path, max_mb, keep })
}

fn keys(RawKeys { secret, loopback, allow_open, clients }: RawKeys) -> KeySettings {
    KeySettings { secret: path(secret), loopback, allow_open, clients }
}

fn http(RawHttp { listen, hosts, show_landmarks }: RawHttp) -> Result<HttpSettings, SettingsError> {
    let listen = match listen.as_str() {
        "" => None,
        text => {
            let wrong = |_| SettingsError::range("http.listen", text, HTTP_ADDRESS);
            Some(text.parse().map_err(wrong)?)
        }
    };
    let host = |host: &String| {
        let wrong = |_| SettingsError::range("http.hosts", host, "NAME or NAME:PORT");
        host.parse().map_err(wrong)
    };
    let hosts = hosts.iter().map(host).collect::<Result<_, _>>()?;
    Ok(HttpSettings { listen, hosts, show_landmarks })
}

/// That no two sockets are to have one place.
fn check_places(settings: &Settings) -> Result<(), SettingsError> {
    let inputs = settings.ingest.inputs.iter();
    let inputs = inputs.map(|input| ("ingest", &input.endpoint, input.connect));
    let page = settings.http.listen.map(SocketEndpoint::from);
    let page = page.iter().map(|at| ("http.listen", at, false));
    let publish = ("publish", &settings.publish.endpoint, false);
    let all: Vec<_> = inputs.chain([publish]).chain(page).collect();
    for (i, (key, endpoint, connects)) in all.iter().enumerate() {
        let same = all[..i].iter().find(|(_, other, other_connects)| {
            endpoint.excludes(other, *connects || *other_connects)
        });
        if let Some((other_key, other, _)) = same {
            let pair = [(*other_key, other.to_string()), (*key, endpoint.to_string())];
            return Err(SettingsError::conflict(pair, "two different endpoints"));
        }
    }
    Ok(())
}
