//! A stream as a camera delivers it: at some frame rate, clean or with faults.

use super::faults::StreamFaults;
use crate::streams::track::LandmarkTrack;
use signd_core::frame::{ArrivalTime, Frame, SourceTime};

/// Capture time of a stream's first moment.
pub const START: SourceTime = SourceTime(1_000_000_000);

/// How streams are delivered.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct StreamDelivery {
    /// Frames a second.
    pub fps: f64,
    /// With everything in [`super::faults`], or clean.
    pub disturbed: bool,
}

/// A stream as a camera of `fps` frames a second delivers it, with or without faults. Its first
/// moment is at [`START`].
pub fn deliver(
    track: &LandmarkTrack,
    (width, height): (u32, u32),
    fps: f64,
    mut faults: Option<StreamFaults>,
) -> Vec<(Frame, ArrivalTime)> {
    let aspect = f64::from(width) / f64::from(height);
    let count = (track.t.last().copied().unwrap_or(0.0) * fps + 1e-6).floor() as u64;
    let (mut out, mut latest) = (Vec::with_capacity(count as usize), 0);
    for seq in 0..=count {
        let due = seq as f64 / fps;
        let captured = match &mut faults {
            None => Some((due, due)),
            Some(faults) => faults.capture(due, fps),
        };
        let Some((t, arrival)) = captured else { continue };
        let mut points = track.at(t);
        if let Some(faults) = &mut faults {
            faults.disturb(t, &mut points, aspect);
        }
        let mut frame = Frame::new(seq, time(t), width, height);
        let aspect = aspect as f32;
        frame.set_points(&points.map(|[x, y, z]| [x / aspect, y, z / aspect]));
        latest = latest.max(time(arrival).0);
        out.push((frame, ArrivalTime(latest)));
    }
    out
}

fn time(t: f64) -> SourceTime {
    SourceTime(START.0 + (t * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::track::NO_LANDMARKS;
    use signd_core::frame::BodyPart;

    /// Ten minutes of a person with both hands in view.
    fn track() -> LandmarkTrack {
        let mut points = NO_LANDMARKS;
        for part in BodyPart::ALL {
            points[part.range()].fill([0.8, 0.5, 0.0]);
        }
        let pose = BodyPart::Pose.range().start;
        points[pose + 11] = [1.0, 0.5, 0.0];
        points[pose + 12] = [0.7, 0.5, 0.0];
        let mut track = LandmarkTrack::default();
        track.push(0.0, points);
        track.push(600.0, points);
        track
    }

    fn shot(fps: f64, disturbed: bool) -> Vec<(Frame, ArrivalTime)> {
        let track = track();
        let faults = disturbed.then(|| StreamFaults::draw(&track, &[(100.0, 200.0)], 1, "a"));
        deliver(&track, (1280, 720), fps, faults)
    }

    #[test]
    fn without_trouble_every_frame_is_there_and_on_time() {
        let frames = shot(15.0, false);
        assert_eq!(frames.len(), 9001);
        for (i, (frame, arrival)) in frames.iter().enumerate() {
            assert_eq!((frame.seq, arrival.0), (i as u64, frame.t.0));
        }
    }

    #[test]
    fn a_hand_is_gone_for_the_same_share_of_the_time_at_every_rate() {
        let gone = |fps| {
            let frames = shot(fps, true);
            let missing =
                frames.iter().filter(|(f, _)| f.part(BodyPart::LeftHand).is_none()).count();
            missing as f64 / frames.len() as f64
        };
        // Ten times a minute for 0.12 s on average, and while the signer walks out of view.
        let (slow, fast) = (gone(15.0), gone(60.0));
        assert!((0.012..0.035).contains(&fast) && (slow - fast).abs() < 0.004, "{slow} {fast}");
    }

    #[test]
    fn frames_are_dropped_uneven_and_in_their_order() {
        let frames = shot(30.0, true);
        assert!((17_000..17_800).contains(&frames.len()), "{}", frames.len());
        for pair in frames.windows(2) {
            assert!(pair[0].0.t < pair[1].0.t && pair[0].1 <= pair[1].1);
            assert!(pair[0].0.t.0 <= pair[0].1.0);
        }
        assert!(
            frames.iter().all(|(frame, _)| frame
                .points()
                .iter()
                .flatten()
                .all(|x| !x.is_infinite()))
        );
    }

    #[test]
    fn the_signer_walks_in_from_outside() {
        let frames = shot(30.0, true);
        let at = |t: f64| {
            let later = |f: &&(Frame, ArrivalTime)| f.0.t.seconds_since(START) >= t;
            frames
                .iter()
                .find(later)
                .expect("a frame")
                .0
                .part(BodyPart::Pose)
                .map(|pose| pose[0][0])
        };
        assert_eq!(at(100.02), None);
        assert!((at(150.0).expect("there") - 0.8 * 9.0 / 16.0).abs() < 0.05);
        assert!((at(100.8).expect("there") - 0.8 * 9.0 / 16.0).abs() > 0.05);
    }
}
