//! Streams: do frames arrive, at what rate, by what clock?

use std::collections::BTreeMap;

use super::finding::Finding;

/// What is known of one frame.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Its number.
    pub seq: u64,
    /// Capture time by the camera's clock, ns since the Unix epoch.
    pub t: u64,
    /// Arrival by this machine's clock, ns since the Unix epoch.
    pub arrival: u64,
    /// Whether a hand is visible.
    pub hand: bool,
    /// The daemon had no time for its hypotheses.
    pub skipped: bool,
}

/// The frames of each stream, in the order of their arrival.
#[derive(Debug, Default)]
pub struct Streams(BTreeMap<String, Vec<Seen>>);

/// Fewer frames than this say nothing of a rate.
const FEW: usize = 10;
/// Below this many frames a second fast signs have too few of them.
const SLOW_FPS: f64 = 12.0;
/// Cameras of bodies do not reach this: the times are in another unit.
const ABSURD_FPS: f64 = 500.0;
/// Clocks that are further apart are worth a word, s.
const CLOCK_S: f64 = 1.0;

impl Streams {
    /// Takes a frame.
    pub fn push(&mut self, stream: &str, seen: Seen) {
        self.0.entry(stream.to_owned()).or_default().push(seen);
    }

    /// What they show; `endpoints` are where frames were waited for, for `seconds`.
    pub fn judge(&self, endpoints: &str, seconds: u64, out: &mut Vec<Finding>) {
        if self.0.is_empty() {
            let seen = format!("no frame arrived in {seconds} s");
            let remedy = format!(
                "start the camera client; it must send to {endpoints}, as docs/wire-format.md says. To \
                 try without a camera: signd send RECORDING"
            );
            out.push(Finding::wrong("frames", seen, remedy));
        }
        for (stream, frames) in &self.0 {
            stream_of(stream, frames, out);
        }
    }
}

fn stream_of(stream: &str, frames: &[Seen], out: &mut Vec<Finding>) {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
    let n = frames.len();
    let of = |seen: String| format!("{stream}: {seen}");
    if n < FEW {
        let remedy = "is the camera client running?";
        out.push(Finding::mind("frames", of(format!("only {n} frames")), remedy));
    } else {
        rate(of, frames, first, last, out);
    }
    let offset = (last.arrival as f64 - last.t as f64) * 1e-9;
    if offset.abs() > CLOCK_S {
        let way = if offset > 0.0 { "behind" } else { "ahead of" };
        let seen = of(format!("its clock is {:.1} s {way} this machine's", offset.abs()));
        let remedy = "decisions carry the camera's times: let both run NTP, or stamp frames with this \
                      machine's clock";
        out.push(Finding::mind("clock", seen, remedy));
    }
    let skipped = share(frames, |f| f.skipped);
    if skipped > 5.0 {
        let seen = of(format!("hypotheses of {skipped:.0} % of the frames were skipped"));
        let remedy = "the machine is too slow for this model and rate: use a `stream` model, or fewer \
                      frames";
        out.push(Finding::mind("speed", seen, remedy));
    }
}

fn rate(
    of: impl Fn(String) -> String,
    frames: &[Seen],
    first: &Seen,
    last: &Seen,
    out: &mut Vec<Finding>,
) {
    let n = frames.len();
    let [captured, arrived] = [(first.t, last.t), (first.arrival, last.arrival)]
        .map(|(a, b)| (b as f64 - a as f64) * 1e-9);
    let fps = (n - 1) as f64 / captured;
    if captured <= 0.0 || fps > ABSURD_FPS {
        let seen = of(format!("{n} frames within {captured:.6} s of capture time"));
        let remedy = "`t` must rise, and be in nanoseconds since the Unix epoch";
        out.push(Finding::wrong("frames", seen, remedy));
        return;
    }
    let hands = share(frames, |f| f.hand);
    let seen = of(format!("{fps:.1} frames a second, a hand in {hands:.0} % of them"));
    out.push(match fps < SLOW_FPS {
        true => Finding::mind("frames", seen, "fast signs need 15 or more frames a second"),
        false => Finding::well("frames", seen),
    });
    if arrived - captured > 0.2 * captured {
        let seen = of(format!("{captured:.1} s of capture time took {arrived:.1} s to arrive"));
        let remedy = "the camera client or the network falls behind: send fewer frames";
        out.push(Finding::mind("frames", seen, remedy));
    }
    let lost = last.seq.saturating_sub(first.seq).saturating_add(1).saturating_sub(n as u64);
    if lost > n as u64 / 100 {
        let seen = of(format!("{lost} frames were lost beside {n} that came"));
        let remedy = "frames are dropped before or in the daemon: see its log for why";
        out.push(Finding::mind("frames", seen, remedy));
    }
}

/// Share of frames, in %.
fn share(frames: &[Seen], what: fn(&Seen) -> bool) -> f64 {
    100.0 * frames.iter().filter(|f| what(f)).count() as f64 / frames.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;

    /// Findings about 90 frames at this distance, ns, changed by `change`.
    fn findings(step: u64, change: impl Fn(u64, &mut Seen)) -> Vec<Finding> {
        let mut streams = Streams::default();
        for seq in 0..90 {
            let t = NOW + seq * step;
            let mut seen = Seen { seq, t, arrival: t + 2_000_000, hand: true, skipped: false };
            change(seq, &mut seen);
            streams.push("cam1", seen);
        }
        let mut out = Vec::new();
        streams.judge("tcp://127.0.0.1:5556", 3, &mut out);
        out
    }

    fn only_mind(findings: &[Finding], words: &str) {
        let bad: Vec<_> = findings.iter().filter(|f| f.level > Level::Well).collect();
        assert!(bad.len() == 1 && bad[0].level == Level::Mind, "{findings:?}");
        assert!(bad[0].seen.contains(words), "{findings:?}");
    }

    #[test]
    fn a_healthy_camera_is_well() {
        let found = findings(33_333_333, |_, _| {});
        let seen = "cam1: 30.0 frames a second, a hand in 100 % of them";
        assert_eq!(found, [Finding::well("frames", seen)]);
    }

    #[test]
    fn what_is_wrong_with_a_camera_is_told() {
        let fps30 = 33_333_333;
        only_mind(&findings(100_000_000, |_, _| {}), "10.0 frames");
        only_mind(&findings(fps30, |_, f| f.t -= 5_000_000_000), "5.0 s behind");
        only_mind(&findings(fps30, |_, f| f.t += 5_000_000_000), "5.0 s ahead");
        only_mind(&findings(fps30, |i, f| f.skipped = i % 10 == 0), "10 %");
        only_mind(&findings(fps30, |i, f| f.arrival += i * 10_000_000), "took 3.9 s");
        only_mind(&findings(fps30, |i, f| f.seq += i / 10), "8 frames were lost");
    }

    #[test]
    fn times_in_another_unit_and_silence_are_wrong() {
        let milliseconds = findings(33, |_, _| {});
        assert!(
            milliseconds[0].level == Level::Wrong && milliseconds[0].remedy.contains("nanoseconds")
        );
        let mut out = Vec::new();
        Streams::default().judge("tcp://127.0.0.1:5556", 3, &mut out);
        assert!(out[0].level == Level::Wrong && out[0].remedy.contains("tcp://127.0.0.1:5556"));
    }
}
