//! Two faults of hand estimators, undone before anybody chooses a hand.
//!
//! *One place*: both hands reported where only one is. *Swapped*: left and right exchanged for a
//! frame or two. A hand is held against its own wrist as the body model sees it; while the body
//! model sees no wrists, against where that hand was a moment ago.

use crate::frame::{BodyPart, Frame, Hand, Landmark, SourceTime, is_missing};

/// Without body wrists, a swap lasting longer than this is taken for the truth.
const SWAP_S: f64 = 0.25;
/// A track older than this says nothing about where a hand is now.
const TRACK_S: f64 = 0.25;
/// Two hands whose points lie this close, in palm lengths, are one hand seen twice.
const ONE_PLACE: f32 = 0.35;
/// Advantage, in palm lengths, that the exchanged reading needs over the reported one.
const MARGIN: f32 = 1.0;
/// Distance, in palm lengths, at which a hand without an anchor is taken to be from it.
const UNKNOWN: f32 = 1.5;

const WRIST: usize = 0;
const MIDDLE_MCP: usize = 9;
const POSE_LEFT_WRIST: usize = 15;
const POSE_RIGHT_WRIST: usize = 16;

/// Which part of the frame shows each of the signer's hands, faults undone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HandParts {
    /// The part that shows the left hand.
    pub left: Option<BodyPart>,
    /// The part that shows the right hand.
    pub right: Option<BodyPart>,
}

impl HandParts {
    /// The part that shows a hand.
    #[must_use]
    pub fn part(self, hand: Hand) -> Option<BodyPart> {
        match hand {
            Hand::Left => self.left,
            Hand::Right => self.right,
        }
    }
}

/// Remembers where each hand was.
#[derive(Clone, Debug, Default)]
pub struct HandRepair {
    tracks: [Option<(SourceTime, [f32; 2])>; 2],
    swapped_since: Option<SourceTime>,
}

/// Where an estimator may have meant a hand to be: a place, and whether the body model gave it.
type Anchor = Option<[f32; 2]>;

impl HandRepair {
    /// Says which part shows which hand in this frame.
    pub fn push(&mut self, frame: &Frame) -> HandParts {
        let aspect = frame.width as f32 / frame.height as f32;
        let left = frame.part(BodyPart::LeftHand).filter(|p| !is_missing(&p[WRIST]));
        let right = frame.part(BodyPart::RightHand).filter(|p| !is_missing(&p[WRIST]));
        let wrists = frame
            .part(BodyPart::Pose)
            .map(|pose| [POSE_LEFT_WRIST, POSE_RIGHT_WRIST].map(|i| place(&pose[i], aspect)));
        let from_body = matches!(wrists, Some([Some(_), Some(_)]));
        let anchors = if from_body { wrists.unwrap_or_default() } else { self.recent(frame.t) };
        let palm =
            [left, right].into_iter().flatten().map(|h| palm_length(h, aspect)).fold(0.0, f32::max);

        let at = |hand: Option<&[Landmark]>| hand.and_then(|h| place(&h[WRIST], aspect));
        let (l, r) = (at(left), at(right));
        let mut hands = HandParts {
            left: left.map(|_| BodyPart::LeftHand),
            right: right.map(|_| BodyPart::RightHand),
        };
        if let (Some(a), Some(b)) = (left, right)
            && in_one_place(a, b, aspect, palm)
            && apart(anchors, palm)
        {
            match cost(l, anchors[0], palm) < cost(r, anchors[1], palm) {
                true => hands.right = None,
                false => hands.left = None,
            }
        } else if self.exchanged(l, r, anchors, palm, from_body, frame.t) {
            hands = HandParts {
                left: hands.right.map(|_| BodyPart::RightHand),
                right: hands.left.map(|_| BodyPart::LeftHand),
            };
        }
        self.remember(frame, hands, aspect);
        hands
    }

    fn recent(&self, t: SourceTime) -> [Anchor; 2] {
        self.tracks.map(|track| {
            track.filter(|(at, _)| t.seconds_since(*at) <= TRACK_S).map(|(_, place)| place)
        })
    }

    /// Would exchanging the hands fit the anchors clearly better?
    fn exchanged(
        &mut self,
        l: Anchor,
        r: Anchor,
        anchors: [Anchor; 2],
        palm: f32,
        from_body: bool,
        t: SourceTime,
    ) -> bool {
        let straight = cost(l, anchors[0], palm) + cost(r, anchors[1], palm);
        let crossed = cost(l, anchors[1], palm) + cost(r, anchors[0], palm);
        if crossed + MARGIN * palm >= straight {
            self.swapped_since = None;
            return false;
        }
        let since = *self.swapped_since.get_or_insert(t);
        from_body || t.seconds_since(since) <= SWAP_S
    }

    fn remember(&mut self, frame: &Frame, hands: HandParts, aspect: f32) {
        for (hand, track) in [Hand::Left, Hand::Right].into_iter().zip(&mut self.tracks) {
            let points = hands.part(hand).and_then(|part| frame.part(part));
            if let Some(place) = points.and_then(|p| place(&p[WRIST], aspect)) {
                *track = Some((frame.t, place));
            }
        }
    }
}

/// A landmark in image heights, so that distances are the same in every direction.
fn place(p: &Landmark, aspect: f32) -> Anchor {
    (!is_missing(p)).then(|| [p[0] * aspect, p[1]])
}

/// Image heights; zero when one of them is not known.
fn distance(a: Anchor, b: Anchor) -> f32 {
    match (a, b) {
        (Some(a), Some(b)) => (a[0] - b[0]).hypot(a[1] - b[1]),
        _ => 0.0,
    }
}

/// How far a hand is from where it would be. One that was nowhere a moment ago may be anywhere: neither
/// reading gains by it.
fn cost(hand: Anchor, anchor: Anchor, palm: f32) -> f32 {
    match (hand, anchor) {
        (Some(_), None) => UNKNOWN * palm,
        _ => distance(hand, anchor),
    }
}

fn palm_length(hand: &[Landmark], aspect: f32) -> f32 {
    distance(place(&hand[WRIST], aspect), place(&hand[MIDDLE_MCP], aspect))
}

/// Palms pressed together also lie in one place; then the body's wrists are together as well.
fn apart(anchors: [Anchor; 2], palm: f32) -> bool {
    let [Some(_), Some(_)] = anchors else { return true };
    distance(anchors[0], anchors[1]) > palm
}

fn in_one_place(a: &[Landmark], b: &[Landmark], aspect: f32, palm: f32) -> bool {
    let (mut sum, mut n) = (0.0, 0);
    for (p, q) in a.iter().zip(b) {
        if let (Some(p), Some(q)) = (place(p, aspect), place(q, aspect)) {
            sum += distance(Some(p), Some(q));
            n += 1;
        }
    }
    n > 0 && sum < ONE_PLACE * palm * n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands at x (image widths) with 0.1 palms in a square image; body wrists likewise.
    fn frame(ms: u64, left: Option<f32>, right: Option<f32>, wrists: Option<(f32, f32)>) -> Frame {
        let mut frame = Frame::new(0, SourceTime(ms * 1_000_000), 100, 100);
        for (part, x) in [(BodyPart::LeftHand, left), (BodyPart::RightHand, right)] {
            if let Some(x) = x {
                for (i, p) in frame.detect(part).iter_mut().enumerate() {
                    *p = [x + 0.001 * i as f32, 0.5 - 0.1 * i as f32 / 9.0, 0.0];
                }
            }
        }
        if let Some((l, r)) = wrists {
            let pose = frame.detect(BodyPart::Pose);
            pose[POSE_LEFT_WRIST] = [l, 0.5, 0.0];
            pose[POSE_RIGHT_WRIST] = [r, 0.5, 0.0];
        }
        frame
    }

    const L: Option<BodyPart> = Some(BodyPart::LeftHand);
    const R: Option<BodyPart> = Some(BodyPart::RightHand);

    #[test]
    fn hands_at_their_wrists_stay_as_reported() {
        let hands = HandRepair::default().push(&frame(0, Some(0.7), Some(0.3), Some((0.7, 0.3))));
        assert_eq!(hands, HandParts { left: L, right: R });
    }

    #[test]
    fn exchanged_hands_go_back_to_their_wrists() {
        let hands = HandRepair::default().push(&frame(0, Some(0.3), Some(0.7), Some((0.7, 0.3))));
        assert_eq!(hands, HandParts { left: R, right: L });
        let alone = HandRepair::default().push(&frame(0, Some(0.3), None, Some((0.7, 0.3))));
        assert_eq!(alone, HandParts { left: None, right: L });
    }

    #[test]
    fn both_in_one_place_is_the_hand_whose_wrist_is_there() {
        let hands = HandRepair::default().push(&frame(0, Some(0.3), Some(0.31), Some((0.7, 0.3))));
        assert_eq!(hands, HandParts { left: None, right: R });
        let hands = HandRepair::default().push(&frame(0, Some(0.7), Some(0.71), Some((0.7, 0.3))));
        assert_eq!(hands, HandParts { left: L, right: None });
    }

    #[test]
    fn palms_pressed_together_are_two_hands() {
        let hands = HandRepair::default().push(&frame(0, Some(0.5), Some(0.5), Some((0.52, 0.48))));
        assert_eq!(hands, HandParts { left: L, right: R });
    }

    #[test]
    fn without_a_body_one_hand_seen_twice_is_the_one_that_was_there_before() {
        for (before, part) in [((Some(0.3), None), L), ((None, Some(0.3)), R)] {
            let mut repair = HandRepair::default();
            repair.push(&frame(0, before.0, before.1, None));
            for i in 1..5 {
                let hands = repair.push(&frame(i * 40, Some(0.3), Some(0.31), None));
                assert_eq!((hands.left.or(hands.right), hands.left.and(hands.right)), (part, None));
            }
        }
    }

    #[test]
    fn one_hand_seen_twice_at_first_sight_stays_the_one_it_was_taken_for() {
        let mut repair = HandRepair::default();
        let said = [0, 40, 80].map(|ms| repair.push(&frame(ms, Some(0.3), Some(0.31), None)));
        assert!(
            said.iter().all(|hands| *hands == said[0] && hands.left.xor(hands.right).is_some())
        );
    }

    #[test]
    fn without_a_body_a_short_swap_is_undone_and_a_long_one_believed() {
        let mut repair = HandRepair::default();
        repair.push(&frame(0, Some(0.7), Some(0.3), None));
        let said: Vec<_> =
            (1..10).map(|i| repair.push(&frame(i * 40, Some(0.3), Some(0.7), None)).left).collect();
        assert_eq!(said[0], R);
        assert_eq!(said[5], R);
        assert_eq!(said[8], L);
    }

    #[test]
    fn nothing_known_changes_nothing() {
        let hands = HandRepair::default().push(&frame(0, Some(0.3), None, None));
        assert_eq!(hands, HandParts { left: L, right: None });
    }
}
