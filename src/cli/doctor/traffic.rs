//! The frames that come in: as a daemon tells of them, as its events show them, or, without a daemon, as they
//! arrive in its place.

use std::io;
use std::time::Duration;

use super::daemon::{self, DaemonProbe};
use super::finding::DoctorFinding;
use super::listen::HeardFrames;
use super::pointers::DocPointer;
use super::streams::{self, HeardStreams, VisibleShares};
use super::{ask, listen};
use signd::config::Settings;
use signd::endpoint::SocketEndpoint;
use signd::keys::policy::KeyPolicy;
use signd::observe::status::{DaemonStatus, DoubtStatus, StreamStatus};

/// Watches frames for this time and judges them.
pub fn examine(
    daemon: &DaemonProbe,
    settings: &Settings,
    wait: Duration,
    out: &mut Vec<DoctorFinding>,
) {
    let policy = match settings.key_policy() {
        Ok(policy) => Some(policy),
        Err(error) => {
            let remedy = "a service's credential is seen by the service alone: look at its log";
            out.push(match daemon.runs() {
                true => DoctorFinding::mind("keys", error.to_string(), remedy),
                false => {
                    let page = format!("{}, Keys", DocPointer::WireFormat.path());
                    DoctorFinding::wrong("keys", error.to_string(), page)
                }
            });
            None
        }
    };
    let watched = match (&daemon.status, policy) {
        (Some(before), policy) => asked(before, settings, policy.as_ref(), wait, out),
        (None, None) => Ok(()),
        (None, Some(policy)) if daemon.runs() => heard(settings, &policy, wait, out),
        (None, Some(policy)) => taken(settings, &policy, wait, out),
    };
    if let Err(error) = watched {
        let remedy = "see the endpoints in the configuration";
        out.push(DoctorFinding::wrong("frames", format!("cannot listen: {error}"), remedy));
    }
}

/// What the daemon says of itself before and after, and its events in between where they are to be had.
fn asked(
    before: &DaemonStatus,
    settings: &Settings,
    policy: Option<&KeyPolicy>,
    wait: Duration,
    out: &mut Vec<DoctorFinding>,
) -> io::Result<()> {
    // Library and model have been looked at since.
    let ask = || daemon::address(settings).and_then(ask::status);
    let before = ask().unwrap_or_else(|| before.clone());
    let publish: Option<SocketEndpoint> = before.endpoints.publish.parse().ok();
    let open = publish.filter(|publish| policy.is_some_and(|policy| !policy.asks(publish)));
    let streams = match open {
        Some(publish) => listen::to_the_daemon(&publish, wait)?,
        None => {
            std::thread::sleep(wait);
            HeardStreams::default()
        }
    };
    let Some(after) = ask().filter(|after| after.run == before.run) else {
        let remedy = "its log says why: `journalctl -u signd`, or the terminal it runs in";
        out.push(DoctorFinding::wrong(
            "daemon",
            "it ended or was restarted while the doctor looked on",
            remedy,
        ));
        return Ok(());
    };
    for stream in &after.streams {
        out.extend(stream.doubts.iter().map(|doubt| doubtful(&stream.stream, doubt)));
    }
    let told = daemon::judge(&before, &after, settings, wait, out);
    let active = || after.streams.iter().filter(|stream| stream.status == "active");
    streams.judge(|id| active().find(|stream| stream.stream == id).and_then(shares), out);
    for stream in active().filter(|stream| !streams.has(&stream.stream)) {
        if let (Some(fps), Some(shares)) = (stream.fps, shares(stream)) {
            out.push(streams::rate_and_shares(&stream.stream, fps, shares));
        }
    }
    if streams.is_empty() && !told {
        out.push(streams::none(&after.endpoints.ingest.join(" or "), wait.as_secs()));
    }
    Ok(())
}

/// The events of a daemon that cannot be asked.
fn heard(
    settings: &Settings,
    policy: &KeyPolicy,
    wait: Duration,
    out: &mut Vec<DoctorFinding>,
) -> io::Result<()> {
    if policy.asks(&settings.publish.endpoint) {
        let remedy = "`signd watch --key FILE --daemon-key PUBLIC` shows what it says";
        out.push(DoctorFinding::mind("frames", "the daemon shows events only to keys", remedy));
        return Ok(());
    }
    let streams = listen::to_the_daemon(&settings.publish.endpoint, wait)?;
    streams.judge(|_| None, out);
    if streams.is_empty() {
        let DoctorFinding { seen, remedy, .. } =
            streams::none(&daemon::inputs(settings).join(" or "), wait.as_secs());
        let remedy = format!(
            "{remedy}. If it does send, its frames are refused, and the daemon's log says why"
        );
        out.push(DoctorFinding::wrong("frames", seen, remedy));
    }
    Ok(())
}

/// The frames themselves, taken in the place of a daemon that does not run.
fn taken(
    settings: &Settings,
    policy: &KeyPolicy,
    wait: Duration,
    out: &mut Vec<DoctorFinding>,
) -> io::Result<()> {
    let HeardFrames { streams, refused, doubts } =
        listen::instead_of_the_daemon(settings, policy, wait)?;
    out.extend(doubts.iter().map(|(stream, doubt)| doubtful(stream, doubt)));
    out.extend(refused.iter().map(|refused| refused.finding(wait.as_secs())));
    streams.judge(|_| None, out);
    if streams.is_empty() && refused.is_empty() {
        out.push(streams::none(&daemon::inputs(settings).join(" or "), wait.as_secs()));
    }
    Ok(())
}

/// What is said of a stream whose landmarks or times are not those of a person before a camera.
fn doubtful(stream: &str, doubt: &DoubtStatus) -> DoctorFinding {
    let seen = format!("{stream}: {}. Expected {}", doubt.found, doubt.expected);
    match doubt.certain {
        true => DoctorFinding::wrong("landmarks", seen, &doubt.remedy),
        false => DoctorFinding::mind("landmarks", seen, &doubt.remedy),
    }
}

fn shares(stream: &StreamStatus) -> Option<VisibleShares> {
    Some(VisibleShares { hands: stream.hands_percent?, body: stream.body_percent })
}
