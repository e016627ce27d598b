//! Frames and clients that are refused: how many, why, and what to do.

use std::collections::BTreeMap;

use super::cause;
use super::finding::DoctorFinding;
use signd::observe::status::{DaemonStatus, DropStatus, LastDrop};

/// Frames of one stream id, or of none, that are refused for one reason.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RefusedFrames {
    /// The reason, as counted.
    pub reason: String,
    /// How many while the doctor waited.
    pub count: u64,
    /// The last one's stream, if it named one.
    pub stream: Option<String>,
    /// Why the last one was refused.
    pub why: String,
    /// Frames of that stream accepted meanwhile.
    pub accepted: u64,
}

impl RefusedFrames {
    /// What is said of them. A stream of which fewer frames come through than are refused is as good as none.
    pub fn finding(&self, seconds: u64) -> DoctorFinding {
        let RefusedFrames { reason, count, stream, why, accepted } = self;
        let stream = stream.as_ref().map(|stream| format!("{stream}: ")).unwrap_or_default();
        let seen = format!("{stream}{count} frames refused in {seconds} s as `{reason}`: {why}");
        let remedy = cause::of_drop(reason, why, *accepted);
        match accepted < count {
            true => DoctorFinding::wrong("refused", seen, remedy),
            false => DoctorFinding::mind("refused", seen, remedy),
        }
    }
}

/// What a daemon refused between two moments.
pub fn between(before: &DaemonStatus, after: &DaemonStatus) -> Vec<RefusedFrames> {
    let accepted = accepted(before, after);
    let drops = after.drops.iter().filter_map(|drop| {
        let earlier = before.drops.iter().find(|d| d.reason == drop.reason).map_or(0, |d| d.count);
        let count = drop.count.saturating_sub(earlier);
        let LastDrop { stream, why, .. } = drop.last.clone().unwrap_or_default();
        let of_stream = stream.as_ref().and_then(|stream| accepted.get(stream)).copied();
        let (reason, accepted) = (drop.reason.clone(), of_stream.unwrap_or(0));
        (count > 0).then_some(RefusedFrames { reason, count, stream, why, accepted })
    });
    drops.collect()
}

/// Frames of each stream accepted between two moments.
pub fn accepted(before: &DaemonStatus, after: &DaemonStatus) -> BTreeMap<String, u64> {
    let earlier =
        |stream: &str| before.streams.iter().find(|s| s.stream == stream).map(|s| s.frames);
    let streams = after.streams.iter();
    // One that went and came again counts from zero.
    let count = |s: &signd::observe::status::StreamStatus| match earlier(&s.stream) {
        Some(frames) if frames <= s.frames => s.frames - frames,
        _ => s.frames,
    };
    streams.map(|s| (s.stream.clone(), count(s))).collect()
}

/// What was refused earlier and is no more.
pub fn over(now: &[RefusedFrames], after: &DaemonStatus) -> Vec<DoctorFinding> {
    let over = after.drops.iter().filter(|drop| now.iter().all(|now| now.reason != drop.reason));
    let told = |DropStatus { reason, count, last, .. }: &DropStatus| {
        let LastDrop { stream, why, seconds_ago } = last.clone()?;
        let stream = stream.map(|stream| format!("{stream}, ")).unwrap_or_default();
        let seen = format!(
            "earlier {count} frames as `{reason}`, the last {seconds_ago:.0} s ago: {stream}{why}"
        );
        Some(DoctorFinding::well("refused", seen))
    };
    over.filter_map(told).collect()
}

/// Clients that were not let in during the last minute.
pub fn clients(after: &DaemonStatus) -> Vec<DoctorFinding> {
    let recent = after.refused.iter().filter_map(|refused| {
        let last = refused.last.as_ref().filter(|last| last.seconds_ago < 60.0)?;
        let (reason, count, at) = (&refused.reason, refused.count, last.seconds_ago);
        let seen = format!(
            "{count} clients refused as `{reason}`, the last {at:.0} s ago from {} at {}",
            last.address, last.door
        );
        Some(DoctorFinding::mind("keys", seen, cause::of_client(reason)))
    });
    recent.collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingLevel;
    use super::*;
    use signd::observe::status::StreamStatus;

    fn status(dropped: u64, frames: u64) -> DaemonStatus {
        let last = LastDrop {
            stream: Some("cam1".into()),
            why: "face: 11232 bytes".into(),
            seconds_ago: 0.1,
        };
        let drop = DropStatus {
            reason: "length".into(),
            count: dropped,
            last: Some(last),
            ..Default::default()
        };
        let stream = StreamStatus { stream: "cam1".into(), frames, ..Default::default() };
        DaemonStatus { drops: vec![drop], streams: vec![stream], ..DaemonStatus::default() }
    }

    #[test]
    fn a_stream_that_is_mostly_refused_is_wrong_and_one_with_a_slip_is_not() {
        let refused = between(&status(10, 5), &status(100, 5));
        assert_eq!((refused.len(), refused[0].count, refused[0].accepted), (1, 90, 0));
        let finding = refused[0].finding(3);
        assert_eq!(finding.level, FindingLevel::Wrong);
        assert_eq!(finding.seen, "cam1: 90 frames refused in 3 s as `length`: face: 11232 bytes");
        let slip = &between(&status(10, 5), &status(11, 95))[0];
        assert_eq!((slip.accepted, slip.finding(3).level), (90, FindingLevel::Mind));
    }

    #[test]
    fn what_is_over_is_told_without_alarm() {
        let (before, after) = (status(10, 5), status(10, 95));
        let refused = between(&before, &after);
        assert_eq!(refused, []);
        let over = over(&refused, &after);
        assert!(over.len() == 1 && over[0].level == FindingLevel::Well, "{over:?}");
        assert_eq!(accepted(&status(0, 90), &status(0, 7))["cam1"], 7, "it went and came again");
    }
}
