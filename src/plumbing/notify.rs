//! What the service manager is told: ready, reloading, stopping, alive.
//!
//! Told as datagrams to `NOTIFY_SOCKET` (`sd_notify(3)`); without one nothing is told. *Alive* is no
//! timer's word: it is said when a token has come through the pipeline, see [`super::progress`].

use std::time::Duration;

use sd_notify::NotifyState;

/// Sockets are open and the model has answered. Also the end of a reload, carried out or refused.
pub fn ready(status: &str) {
    // A line of its own would be read as another message: errors of a parser have several.
    let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Configuration and model are being read again; [`ready`] follows.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("no monotonic clock: {error}"),
    }
}

/// No further frame is let in; open signs are being decided.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("deciding what is open, then ending")]);
}

/// A token has come through.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("the service manager cannot be told: {error}");
    }
}

/// How often it wants to be told that the daemon is alive; none: it does not ask.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
