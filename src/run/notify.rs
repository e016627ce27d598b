//! What the service manager is told: ready, reloading, stopping, alive.
//!
//! Told as datagrams to `NOTIFY_SOCKET` (`sd_notify(3)`); without one nothing is told. *Alive* is no
//! timer's word. Ingest puts a token into the ring, at a quarter of the manager's interval, and the
//! worker passes the word on when the token has come through everything that was before it, its
//! publishing included. So a box without a camera is healthy, and a stuck model is not.

use std::time::{Duration, Instant};

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

/// When the watchdog's next token is due.
pub struct Tokens {
    /// None: no watchdog.
    every: Option<Duration>,
    last: Instant,
}

impl Tokens {
    /// As the service manager asks for (`WATCHDOG_USEC`).
    pub fn from_environment() -> Self {
        let every = sd_notify::watchdog_enabled().map(|interval| interval / 4);
        Tokens { every, last: Instant::now() }
    }

    /// Whether one is due; the next is then due later.
    pub fn due(&mut self, now: Instant) -> bool {
        let due = self.every.is_some_and(|every| now.saturating_duration_since(self.last) >= every);
        if due {
            self.last = now;
        }
        due
    }
}
