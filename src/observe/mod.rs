//! Seeing inside: metrics, health, and what happens live, over HTTP.

pub mod guard;
pub mod http;
pub mod page;
pub mod scene;
pub mod shelf;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Settings of the HTTP endpoint; `conf/signd.toml` documents each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// `ADDRESS:PORT`; empty: no endpoint.
    pub listen: String,
    /// Further names it answers to.
    pub hosts: Vec<String>,
    /// Landmarks may be shown beyond this machine.
    pub show_landmarks: bool,
}

impl HttpSettings {
    /// Where to listen, or what is expected instead; `None`: nowhere.
    pub fn address(&self) -> Result<Option<SocketAddr>, String> {
        match self.listen.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| "ADDRESS:PORT, or empty".into()),
        }
    }
}
