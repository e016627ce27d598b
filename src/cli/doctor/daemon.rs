//! The daemon: does it run, is it the one that this configuration describes, and what does it say of itself?

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::ask;
use super::endpoints::{self, EndpointState};
use super::finding::DoctorFinding;
use super::processes::{self, DaemonProcess};
use super::refusals;
use signd::config::Settings;
use signd::endpoint::SocketEndpoint;
use signd::observe::status::{DaemonStatus, EndpointStatus, StreamStatus};

/// What is asked about a camera that is not heard.
const WHERE: &str = "is its camera client running, and does it send to";

/// The daemon as far as it can be found at the endpoints of a configuration.
#[derive(Debug, Default)]
pub struct DaemonProbe {
    /// Its process, if it holds an endpoint.
    pub pid: Option<u32>,
    /// What it says of itself, if it can be asked.
    pub status: Option<DaemonStatus>,
    /// What is found at the endpoints.
    pub places: Vec<DoctorFinding>,
    /// Another program holds one, so that no frame can arrive there.
    pub shut_out: bool,
}

impl DaemonProbe {
    /// Looks at the endpoints of these settings.
    pub fn find(settings: &Settings) -> DaemonProbe {
        let http = address(settings);
        let mut daemon =
            DaemonProbe { status: http.and_then(ask::status), ..DaemonProbe::default() };
        if let Some(at) = http.filter(|at| !at.ip().is_loopback()) {
            let seen =
                format!("everyone who reaches {at} sees metrics and events: there is no login");
            let remedy = "leave it on loopback, or put a proxy with authentication before it";
            daemon.places.push(DoctorFinding::mind("http", seen, remedy));
        }
        let mut free = Vec::new();
        // Whose a socket is cannot always be seen from outside, but the daemon itself knows.
        let said = daemon.status.as_ref().map(|status| status.endpoints.clone());
        let own =
            |endpoint: &SocketEndpoint| said.as_ref().is_some_and(|said| said.holds(endpoint));
        for (part, endpoint) in settings.bound() {
            if own(&endpoint) {
                continue;
            }
            match endpoints::look(part, &endpoint) {
                EndpointState::Free => {
                    free.push(DoctorFinding::well(part, format!("{endpoint} is free")));
                }
                EndpointState::Ours(pid) => daemon.pid = Some(pid),
                EndpointState::Wrong(finding) => {
                    daemon.shut_out = true;
                    daemon.places.push(finding);
                }
            }
        }
        if !daemon.runs() {
            daemon.places.extend(free);
        }
        daemon
    }

    /// It runs.
    pub fn runs(&self) -> bool {
        self.pid.is_some() || self.status.is_some()
    }

    /// What is said of one that runs.
    pub fn present(&self, settings: &Settings) -> Vec<DoctorFinding> {
        let status = self.status.as_ref();
        let pid = status.map(|status| status.pid).or(self.pid);
        let process = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
        let run = status.map(|status| {
            format!(
                ", version {}, for {} as run {}",
                status.version,
                time(status.uptime_s),
                status.run
            )
        });
        let seen = format!("signd is running{process}{}", run.unwrap_or_default());
        let mut out = vec![DoctorFinding::well("daemon", seen)];
        let Some(status) = status else {
            let remedy = "its log tells what it refuses: `journalctl -u signd`, or the terminal it runs in. \
                          `[http] listen` in the configuration and a restart let the doctor ask it";
            let seen = "the daemon cannot be asked over HTTP: the doctor sees only its events";
            out.push(DoctorFinding::mind("daemon", seen, remedy));
            return out;
        };
        let EndpointStatus { ingest, publish, .. } = &status.endpoints;
        let inputs = inputs(settings);
        if *ingest != inputs || *publish != settings.publish.endpoint.to_string() {
            let seen = format!(
                "it runs with other endpoints than this configuration says: {}",
                words(&status.endpoints)
            );
            let remedy = format!(
                "cameras and subscribers must use those, or restart it without flags for frames at {} and events \
                 at {}",
                inputs.join(" and "),
                settings.publish.endpoint
            );
            out.push(DoctorFinding::mind("daemon", seen, remedy));
        }
        out
    }
}

/// What is said when there is none; it would be started with this configuration file.
pub fn missing(config: Option<&Path>) -> DoctorFinding {
    let flag = config.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
    let start = format!("start it: `signd run{flag}`, or `sudo systemctl start signd`");
    let others: Vec<String> = processes::daemons().iter().map(elsewhere).collect();
    if others.is_empty() {
        return DoctorFinding::wrong("daemon", "signd is not running", start);
    }
    let seen = format!("signd is not running with these endpoints, but {}", others.join(" and "));
    let remedy =
        format!("give the doctor that configuration (--config), use those endpoints, or {start}");
    DoctorFinding::wrong("daemon", seen, remedy)
}

fn elsewhere(process: &DaemonProcess) -> String {
    let at = process.http().and_then(ask::status).map(|status| words(&status.endpoints));
    let at = at.unwrap_or_else(|| format!("`{}`", process.command.join(" ")));
    format!("process {} runs with others: {at}", process.pid)
}

fn words(EndpointStatus { ingest, publish, http }: &EndpointStatus) -> String {
    format!("frames at {}, events at {publish}, HTTP at {http}", ingest.join(" and "))
}

/// Where frames come in by these settings, as written.
pub fn inputs(settings: &Settings) -> Vec<String> {
    settings.ingest.inputs.iter().map(ToString::to_string).collect()
}

/// Where the daemon of these settings answers, if it is to answer anywhere.
pub fn address(settings: &Settings) -> Option<SocketAddr> {
    settings.http.listen
}

/// What a daemon says at the end of a wait that began with `before`: what it refuses, and which streams are
/// silent. True if that explains why no event comes.
pub fn judge(
    before: &DaemonStatus,
    after: &DaemonStatus,
    settings: &Settings,
    wait: Duration,
    out: &mut Vec<DoctorFinding>,
) -> bool {
    let refused = refusals::between(before, after);
    out.extend(refused.iter().map(|refused| refused.finding(wait.as_secs())));
    out.extend(refusals::over(&refused, after));
    out.extend(refusals::clients(after));
    let ingest = after.endpoints.ingest.join(" or ");
    let any_active = after.streams.iter().any(|stream| stream.status == "active");
    for stream in after.streams.iter().filter(|stream| stream.status != "active") {
        let explained = refused.iter().any(|r| r.stream.as_ref() == Some(&stream.stream));
        out.push(silent(stream, &ingest, explained, any_active));
    }
    for (client, stream) in settings.keys.clients.streams() {
        if after.streams.iter().all(|known| known.stream != stream) {
            let seen = format!("{stream}: never heard, or gone; client `{client}` may send it");
            out.push(DoctorFinding::mind(
                "frames",
                seen,
                format!("{WHERE} {ingest} with its key?"),
            ));
        }
    }
    !refused.is_empty() || !after.streams.is_empty()
}

fn silent(stream: &StreamStatus, ingest: &str, explained: bool, others: bool) -> DoctorFinding {
    let silence = time(stream.seconds_since_last);
    let seen = format!("{}: no frame for {silence}, after {} frames", stream.stream, stream.frames);
    let remedy = match explained {
        true => "its frames are refused, see above".into(),
        false => format!("{WHERE} {ingest}?"),
    };
    match others {
        true => DoctorFinding::mind("frames", seen, remedy),
        false => DoctorFinding::wrong("frames", seen, remedy),
    }
}

/// A duration for people.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::finding::FindingLevel;
    use super::*;
    use signd::config::SettingsFlags;
    use signd::observe::status::{DropStatus, LastDrop};

    fn settings(table: &str) -> Settings {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(table.as_bytes()).expect("writes");
        let config = Some(file.path().to_owned());
        Settings::load(&SettingsFlags { config, ..SettingsFlags::default() }).expect("valid")
    }

    fn stream(stream: &str, status: &str, frames: u64) -> StreamStatus {
        let (stream, status) = (stream.into(), status.into());
        StreamStatus { stream, status, frames, seconds_since_last: 34.0, ..StreamStatus::default() }
    }

    fn findings(
        before: &DaemonStatus,
        after: &DaemonStatus,
        settings: &Settings,
    ) -> Vec<(FindingLevel, String, String)> {
        let mut out = Vec::new();
        judge(before, after, settings, Duration::from_secs(3), &mut out);
        out.into_iter().map(|f| (f.level, f.seen, f.remedy)).collect()
    }

    #[test]
    fn a_silent_stream_is_named_with_its_likely_cause() {
        let (defaults, before) = (settings(""), DaemonStatus::default());
        let mut after = DaemonStatus {
            streams: vec![stream("cam1", "stalled", 12)],
            ..DaemonStatus::default()
        };
        let found = findings(&before, &after, &defaults);
        assert_eq!((found.len(), found[0].0), (1, FindingLevel::Wrong), "{found:?}");
        assert_eq!(found[0].1, "cam1: no frame for 34 s, after 12 frames");
        assert!(found[0].2.contains("is its camera client running"), "{found:?}");
        // One camera of several.
        after.streams.push(stream("cam2", "active", 90));
        assert_eq!(findings(&before, &after, &defaults)[0].0, FindingLevel::Mind);
        // Its frames are refused.
        let last =
            LastDrop { stream: Some("cam1".into()), why: "version 2".into(), seconds_ago: 0.0 };
        after.drops = vec![DropStatus {
            reason: "version".into(),
            count: 90,
            last: Some(last),
            ..DropStatus::default()
        }];
        let found = findings(&before, &after, &defaults);
        assert_eq!(found[0].1, "cam1: 90 frames refused in 3 s as `version`: version 2");
        assert_eq!(found[1].2, "its frames are refused, see above");
    }

    #[test]
    fn a_stream_that_a_client_may_send_and_does_not_is_named() {
        let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
        let kitchen = format!(
            "[keys.clients.kitchen]\nkey = '{key}'\npublish = ['kitchen-1', 'kitchen-2', 'hall-*']"
        );
        let after = DaemonStatus {
            streams: vec![stream("kitchen-1", "active", 90)],
            ..DaemonStatus::default()
        };
        let found = findings(&after, &after, &settings(&kitchen));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, "kitchen-2: never heard, or gone; client `kitchen` may send it");
    }
}
