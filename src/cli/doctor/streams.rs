//! Streams: do frames arrive, at what rate, by what clock?

use std::collections::BTreeMap;

use super::finding::DoctorFinding;
use super::pointers::DocPointer;

/// What is known of one frame.
#[derive(Clone, Copy, Debug)]
pub struct HeardFrame {
    /// Its number.
    pub seq: u64,
    /// Capture time by the camera's clock, ns since the Unix epoch.
    pub t: u64,
    /// Arrival by this machine's clock, ns since the Unix epoch.
    pub arrival: u64,
    /// Whether a hand is visible.
    pub hand: bool,
    /// Whether the body is visible; `None` where that is not known.
    pub body: Option<bool>,
    /// The daemon had no time for its hypotheses.
    pub skipped: bool,
}

/// The frames of each stream, in the order of their arrival.
#[derive(Debug, Default)]
pub struct HeardStreams(BTreeMap<String, Vec<HeardFrame>>);

/// Fewer frames than this say nothing of a rate.
const FEW: usize = 10;
/// Below this many frames a second fast signs have too few of them. Fifteen by the camera are sometimes fewer.
const SLOW_FPS: f64 = 14.5;
/// Cameras of bodies do not reach this: the times are in another unit.
const ABSURD_FPS: f64 = 500.0;
/// Clocks that are further apart are worth a word, s.
const CLOCK_S: f64 = 1.0;

/// In how many frames of a stream something is seen, %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VisibleShares {
    /// A hand.
    pub hands: f64,
    /// The body; `None` where that is not known.
    pub body: Option<f64>,
}

impl HeardStreams {
    /// Takes a frame.
    pub fn push(&mut self, stream: &str, seen: HeardFrame) {
        self.0.entry(stream.to_owned()).or_default().push(seen);
    }

    /// None was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Frames of this stream were seen.
    pub fn has(&self, stream: &str) -> bool {
        self.0.contains_key(stream)
    }

    /// What they show. `shares` knows better than the frames what is seen of a stream, where it knows.
    pub fn judge(
        &self,
        shares: impl Fn(&str) -> Option<VisibleShares>,
        out: &mut Vec<DoctorFinding>,
    ) {
        for (stream, frames) in &self.0 {
            stream_of(stream, frames, shares(stream), out);
        }
    }
}

/// No frame has arrived in these seconds at these endpoints.
pub fn none(endpoints: &str, seconds: u64) -> DoctorFinding {
    let seen = format!("no frame arrived in {seconds} s");
    let remedy = format!(
        "start the camera client; it must send to {endpoints}, as {} says. To try without a camera: \
         signd send {}",
        DocPointer::WireFormat.path(),
        DocPointer::Recording.path()
    );
    DoctorFinding::wrong("frames", seen, remedy)
}

/// The rate of a stream and what is seen in it.
pub fn rate_and_shares(stream: &str, fps: f64, shares: VisibleShares) -> DoctorFinding {
    let body = shares.body.map(|body| format!(" and the body in {body:.0} %")).unwrap_or_default();
    let seen = format!(
        "{stream}: {fps:.1} frames a second, a hand in {:.0} %{body} of them",
        shares.hands
    );
    let (no_hand, no_body) = (shares.hands < 1.0, shares.body.is_some_and(|body| body < 1.0));
    let blind = match (no_hand, no_body) {
        (true, true) => {
            "no person is seen: look at the picture, the light and the estimator, and at which \
                         parts the client sends"
        }
        (false, true) => "send `pose`: without the body no sign can be recognised",
        (true, false) => {
            "without hands no sign can be recognised: raise them into the picture, step back, use \
                          more light, and send `left_hand` and `right_hand`"
        }
        (false, false) => "",
    };
    if !blind.is_empty() {
        return DoctorFinding::wrong("frames", seen, blind);
    }
    if fps < SLOW_FPS {
        let remedy = "signs need 15 or more frames a second: a smaller picture or a lighter estimator is faster";
        return DoctorFinding::mind("frames", seen, remedy);
    }
    if shares.body.is_some_and(|body| body < 50.0) {
        let remedy = "frames without the body do not count: the shoulders must be in the picture";
        return DoctorFinding::mind("frames", seen, remedy);
    }
    DoctorFinding::well("frames", seen)
}

fn stream_of(
    stream: &str,
    frames: &[HeardFrame],
    shares: Option<VisibleShares>,
    out: &mut Vec<DoctorFinding>,
) {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
    let n = frames.len();
    let of = |seen: String| format!("{stream}: {seen}");
    if n > 1 && frames.iter().all(|f| f.seq == first.seq) {
        let seen = of(format!("`seq` is {} in all {n} frames", first.seq));
        let remedy = "`seq` is the number of the frame, +1 for each captured";
        out.push(DoctorFinding::wrong("frames", seen, remedy));
    } else if n < FEW {
        let remedy = "is the camera client running all the time?";
        out.push(DoctorFinding::mind(
            "frames",
            of(format!("only {n} frames came through")),
            remedy,
        ));
    } else {
        rate(stream, frames, shares, out);
    }
    let offset = (last.arrival as f64 - last.t as f64) * 1e-9;
    if offset.abs() > CLOCK_S {
        let way = if offset > 0.0 { "behind" } else { "ahead of" };
        let seen = of(format!("its clock is {:.1} s {way} this machine's", offset.abs()));
        let remedy = "decisions carry the camera's times: let both run NTP, or stamp frames with this \
                      machine's clock";
        out.push(DoctorFinding::mind("clock", seen, remedy));
    }
    let skipped = share(frames, |f| f.skipped);
    if skipped > 5.0 {
        let seen = of(format!("hypotheses of {skipped:.0} % of the frames were skipped"));
        let remedy = "the machine is too slow for this model and rate: use a `stream` model, or fewer \
                      frames";
        out.push(DoctorFinding::mind("speed", seen, remedy));
    }
}

fn rate(
    stream: &str,
    frames: &[HeardFrame],
    shares: Option<VisibleShares>,
    out: &mut Vec<DoctorFinding>,
) {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
    let n = frames.len();
    let of = |seen: String| format!("{stream}: {seen}");
    let [captured, arrived] = [(first.t, last.t), (first.arrival, last.arrival)]
        .map(|(a, b)| (b as f64 - a as f64) * 1e-9);
    let fps = (n - 1) as f64 / captured;
    if captured <= 0.0 || fps > ABSURD_FPS {
        let seen = of(format!("{n} frames within {captured:.6} s of capture time"));
        let remedy = "`t` must rise, and be in nanoseconds since the Unix epoch";
        out.push(DoctorFinding::wrong("frames", seen, remedy));
        return;
    }
    let known = frames.iter().all(|f| f.body.is_some());
    let body = known.then(|| share(frames, |f| f.body == Some(true)));
    let shares = shares.unwrap_or_else(|| VisibleShares { hands: share(frames, |f| f.hand), body });
    out.push(rate_and_shares(stream, fps, shares));
    if arrived - captured > 0.2 * captured {
        let seen = of(format!("{captured:.1} s of capture time took {arrived:.1} s to arrive"));
        let remedy = "the camera client or the network falls behind: send fewer frames";
        out.push(DoctorFinding::mind("frames", seen, remedy));
    }
    let lost = last.seq.saturating_sub(first.seq).saturating_add(1).saturating_sub(n as u64);
    if lost > n as u64 / 100 {
        let seen = of(format!("{lost} frames are missing by `seq` beside {n} that came"));
        let remedy = "they were captured and not sent, as a slow estimator does, or the network lost them. What \
                      signd itself refuses is named as such";
        out.push(DoctorFinding::mind("frames", seen, remedy));
    }
}

/// Share of frames, in %.
fn share(frames: &[HeardFrame], what: fn(&HeardFrame) -> bool) -> f64 {
    100.0 * frames.iter().filter(|f| what(f)).count() as f64 / frames.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingLevel;
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;

    /// Findings about 90 frames at this distance, ns, changed by `change`.
    fn findings(step: u64, change: impl Fn(u64, &mut HeardFrame)) -> Vec<DoctorFinding> {
        let mut streams = HeardStreams::default();
        for seq in 0..90 {
            let t = NOW + seq * step;
            let arrival = t + 2_000_000;
            let mut seen =
                HeardFrame { seq, t, arrival, hand: true, body: Some(true), skipped: false };
            change(seq, &mut seen);
            streams.push("cam1", seen);
        }
        let mut out = Vec::new();
        streams.judge(|_| None, &mut out);
        out
    }

    fn only_mind(findings: &[DoctorFinding], words: &str) {
        let bad: Vec<_> = findings.iter().filter(|f| f.level > FindingLevel::Well).collect();
        assert!(bad.len() == 1 && bad[0].level == FindingLevel::Mind, "{findings:?}");
        assert!(bad[0].seen.contains(words), "{findings:?}");
    }

    #[test]
    fn a_healthy_camera_is_well() {
        let found = findings(33_333_333, |_, _| {});
        let seen = "cam1: 30.0 frames a second, a hand in 100 % and the body in 100 % of them";
        assert_eq!(found, [DoctorFinding::well("frames", seen)]);
    }

    #[test]
    fn what_is_wrong_with_a_camera_is_told() {
        let fps30 = 33_333_333;
        only_mind(&findings(100_000_000, |_, _| {}), "10.0 frames");
        only_mind(&findings(fps30, |_, f| f.t -= 5_000_000_000), "5.0 s behind");
        only_mind(&findings(fps30, |_, f| f.t += 5_000_000_000), "5.0 s ahead");
        only_mind(&findings(fps30, |i, f| f.skipped = i % 10 == 0), "10 %");
        only_mind(&findings(fps30, |i, f| f.arrival += i * 10_000_000), "took 3.9 s");
        only_mind(&findings(fps30, |i, f| f.seq += i / 10), "8 frames are missing");
    }

    #[test]
    fn times_in_another_unit_and_silence_are_wrong() {
        let milliseconds = findings(33, |_, _| {});
        assert!(
            milliseconds[0].level == FindingLevel::Wrong
                && milliseconds[0].remedy.contains("nanoseconds")
        );
        let none = none("tcp://127.0.0.1:5556", 3);
        assert!(none.level == FindingLevel::Wrong && none.remedy.contains("tcp://127.0.0.1:5556"));
    }

    // "a hand in 0 % of them" was called well.
    #[test]
    fn where_nothing_can_be_recognised_all_is_not_well() {
        let only_wrong = |found: Vec<DoctorFinding>, words: &str| {
            assert!(found.len() == 1 && found[0].level == FindingLevel::Wrong, "{found:?}");
            assert!(found[0].seen.contains(words) || found[0].remedy.contains(words), "{found:?}");
        };
        let fps30 = 33_333_333;
        only_wrong(findings(fps30, |_, f| f.hand = false), "a hand in 0 %");
        only_wrong(findings(fps30, |_, f| f.body = Some(false)), "send `pose`");
        only_wrong(findings(fps30, |_, f| (f.hand, f.body) = (false, Some(false))), "no person");
        only_wrong(findings(fps30, |_, f| f.seq = 7), "`seq` is 7 in all 90 frames");
        only_mind(&findings(fps30, |i, f| f.body = Some(i % 3 == 0)), "the body in 33 %");
        // Where only events are seen, nothing is known of the body.
        assert_eq!(findings(fps30, |_, f| f.body = None)[0].level, FindingLevel::Well);
    }
}
