//! The streams there are, and what is counted of each of them.
//!
//! The worker alone writes, with plain atomics: a frame costs no lock and no allocation. Only a stream that
//! comes or goes locks the list. Ingest admits no more than `max_streams`, so the list stays as short.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signd_core::frame::{BodyPart, Frame};
use signd_core::plausibility::InputDoubt;
use signd_core::stream_id::StreamId;

/// Rates and shares are those of this time.
const RECENT: Duration = Duration::from_secs(5);
/// Frames of which the arrival is kept: at more than fifty a second they are those of a shorter time.
const KEPT: usize = 256;

/// Bits of a kept frame below its arrival.
const HAND: u64 = 1;
const BODY: u64 = 2;
const BITS: u32 = 2;

/// The streams that are present.
#[derive(Debug, Default)]
pub struct StreamRoster(Mutex<BTreeMap<StreamId, Arc<StreamCount>>>);

impl StreamRoster {
    /// A stream has appeared.
    pub fn enter(&self, stream: StreamId) -> Arc<StreamCount> {
        let count = Arc::new(StreamCount::new());
        self.list().insert(stream, Arc::clone(&count));
        count
    }

    /// A stream has gone.
    pub fn leave(&self, stream: &StreamId) {
        self.list().remove(stream);
    }

    /// All that are present, by name.
    pub fn present(&self) -> Vec<(StreamId, StreamSnapshot)> {
        let now = Instant::now();
        self.list().iter().map(|(stream, count)| (*stream, count.read(now))).collect()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, BTreeMap<StreamId, Arc<StreamCount>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is counted of one stream.
#[derive(Debug)]
pub struct StreamCount {
    begun: Instant,
    stalled: AtomicBool,
    frames: AtomicU64,
    lost: AtomicU64,
    /// Of the last frames: microseconds after `begun`, and what was seen. The newest takes the oldest's place.
    kept: [AtomicU64; KEPT],
    /// What is doubtful about its input, each with an example. Locked only when a doubt arises or is read.
    doubts: Mutex<Vec<HeldDoubt>>,
}

/// A doubt about a stream's input, with an example for [`InputDoubt::found`].
pub type HeldDoubt = (InputDoubt, [f32; 2]);

/// A stream at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSnapshot {
    /// It has stopped to send.
    pub stalled: bool,
    /// Frames accepted.
    pub frames: u64,
    /// Frames missing by `seq`.
    pub lost: u64,
    /// Since the last accepted frame, or since it appeared if there was none.
    pub silent: Duration,
    /// Frames a second of the last five seconds; `None` for fewer than two frames.
    pub fps: Option<f64>,
    /// Share of these in which a hand was detected, 0..1; `None` without frames.
    pub hands: Option<f64>,
    /// Share of these in which the body was detected, 0..1; likewise.
    pub body: Option<f64>,
    /// What is doubtful about its input.
    pub doubts: Vec<HeldDoubt>,
}

impl StreamCount {
    fn new() -> Self {
        StreamCount {
            begun: Instant::now(),
            stalled: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            kept: [const { AtomicU64::new(0) }; KEPT],
            doubts: Mutex::default(),
        }
    }

    /// A frame was accepted, before which some are missing.
    pub fn frame(&self, frame: &Frame, received: Instant, lost: u64) {
        let seen = |part| frame.part(part).is_some();
        let hand = if seen(BodyPart::LeftHand) || seen(BodyPart::RightHand) { HAND } else { 0 };
        let body = if seen(BodyPart::Pose) { BODY } else { 0 };
        let at = received.saturating_duration_since(self.begun).as_micros() as u64;
        let number = self.frames.load(Relaxed);
        if let Some(place) = self.kept.get(number as usize % KEPT) {
            place.store(at << BITS | hand | body, Relaxed);
        }
        self.lost.fetch_add(lost, Relaxed);
        self.frames.store(number + 1, Relaxed);
        self.stalled.store(false, Relaxed);
    }

    /// Its input gives rise to a doubt.
    pub fn doubt(&self, doubt: InputDoubt, example: [f32; 2]) {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).push((doubt, example));
    }

    /// It begins anew, perhaps mended.
    pub fn reset(&self) {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// It has stopped to send.
    pub fn stall(&self) {
        self.stalled.store(true, Relaxed);
    }

    fn read(&self, now: Instant) -> StreamSnapshot {
        let frames = self.frames.load(Relaxed);
        let now = now.saturating_duration_since(self.begun).as_micros() as u64;
        let since = now.saturating_sub(RECENT.as_micros() as u64);
        let known = self.kept.iter().take(usize::try_from(frames).unwrap_or(KEPT));
        let known: Vec<u64> = known.map(|kept| kept.load(Relaxed)).collect();
        let last = known.iter().map(|kept| kept >> BITS).max().unwrap_or(0);
        let recent: Vec<u64> = known.into_iter().filter(|kept| kept >> BITS >= since).collect();
        let first = recent.iter().map(|kept| kept >> BITS).min().unwrap_or(0);
        let count = recent.len() as f64;
        let share = |bit: u64| {
            let with = recent.iter().filter(|kept| **kept & bit > 0).count();
            (!recent.is_empty()).then(|| with as f64 / count)
        };
        StreamSnapshot {
            stalled: self.stalled.load(Relaxed),
            frames,
            lost: self.lost.load(Relaxed),
            silent: Duration::from_micros(now.saturating_sub(last)),
            fps: (last > first && !recent.is_empty())
                .then(|| (count - 1.0) * 1e6 / (last - first) as f64),
            hands: share(HAND),
            body: share(BODY),
            doubts: self.doubts.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::frame::SourceTime;
    use signd_core::stream_id;

    /// Frames at this distance, the last one just now; every fourth with a hand, all with a body.
    fn attended(count: u64, step: Duration) -> (StreamCount, Instant) {
        let seen = StreamCount::new();
        let mut at = seen.begun;
        for i in 0..count {
            let mut frame = Frame::new(i, SourceTime(i), 640, 480);
            frame.detect(BodyPart::Pose);
            if i % 4 == 0 {
                frame.detect(BodyPart::LeftHand);
            }
            at += step;
            seen.frame(&frame, at, i % 2);
        }
        (seen, at)
    }

    #[test]
    fn rate_and_shares_are_of_the_last_seconds() {
        for (count, ms) in [(400, 20), (100, 100), (3000, 5)] {
            let (seen, last) = attended(count, Duration::from_millis(ms));
            let read = seen.read(last + Duration::from_millis(7));
            assert_eq!((read.frames, read.lost), (count, count / 2));
            assert_eq!(read.silent, Duration::from_millis(7));
            let fps = read.fps.expect("many frames");
            assert!((fps - 1e3 / ms as f64).abs() < 1e-6, "{fps}");
            assert!((read.hands.expect("frames") - 0.25).abs() < 0.02, "{read:?}");
            assert_eq!(read.body, Some(1.0));
        }
    }

    #[test]
    fn a_stream_that_is_silent_has_no_rate_and_comes_back() {
        let (seen, last) = attended(10, Duration::from_millis(33));
        seen.stall();
        let read = seen.read(last + Duration::from_secs(60));
        assert!(read.stalled && read.silent == Duration::from_secs(60), "{read:?}");
        assert_eq!((read.fps, read.hands, read.body), (None, None, None));
        seen.frame(&Frame::default(), last, 0);
        assert!(!seen.read(last).stalled);
        let (none, begun) = attended(0, Duration::ZERO);
        let read = none.read(begun + Duration::from_secs(1));
        assert_eq!((read.frames, read.fps, read.silent), (0, None, Duration::from_secs(1)));
    }

    #[test]
    fn a_stream_that_left_is_not_listed() {
        let (roster, cam) = (StreamRoster::default(), stream_id::parse(b"cam1").expect("valid"));
        let seen = roster.enter(cam);
        seen.frame(&Frame::default(), Instant::now(), 0);
        let (stream, read) = roster.present().remove(0);
        assert_eq!((stream, read.frames), (cam, 1));
        roster.leave(&cam);
        assert!(roster.present().is_empty());
    }
}
