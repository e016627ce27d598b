//! What one frame shows of one hand.

use crate::frame::{BodyPart, Frame, Hand};
use crate::signer::SignerSpace;

/// How much a hand below the rest line counts towards dominance. Above zero, so that a hand that
/// signs low still wins over one that is never seen.
const RESTING_WEIGHT: f64 = 0.25;
/// The middle knuckle: in the palm whatever the wrist does.
const PALM: usize = 9;
/// Wrists of the body model: left, right.
const POSE_WRISTS: [usize; 2] = [15, 16];

/// What one frame shows of one hand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HandView {
    /// The estimator found it.
    pub present: bool,
    /// It is above the rest line.
    pub raised: bool,
    /// How far above the rest line it is, shoulder widths, negative below; none where nothing tells.
    pub height: Option<f32>,
}

impl HandView {
    /// What a frame shows of the hand that this part is; `rest_line` in shoulder widths below the
    /// shoulders.
    #[must_use]
    pub fn of(
        frame: &Frame,
        part: Option<BodyPart>,
        space: &SignerSpace,
        rest_line: f32,
    ) -> HandView {
        let Some(points) = part.and_then(|part| frame.part(part)) else {
            return HandView::default();
        };
        let height = rest_line - space.place(&points[PALM])[1];
        let known = (!height.is_nan()).then_some(height);
        HandView { present: true, raised: height > 0.0, height: known }
    }

    /// The same; the height of a hand that the estimator did not find is that of the body model's wrist.
    #[must_use]
    pub fn or_wrist(
        self,
        frame: &Frame,
        hand: Hand,
        space: &SignerSpace,
        rest_line: f32,
    ) -> HandView {
        let wrist = || {
            let pose = frame.part(BodyPart::Pose)?;
            let height = rest_line - space.place(&pose[POSE_WRISTS[hand as usize]])[1];
            (!height.is_nan()).then_some(height)
        };
        HandView { height: self.height.or_else(wrist), ..self }
    }

    /// What it says for this hand being the dominant one, 0..1.
    #[must_use]
    pub fn weight(self) -> f64 {
        match self {
            HandView { present: false, .. } => 0.0,
            HandView { raised: false, .. } => RESTING_WEIGHT,
            HandView { raised: true, .. } => 1.0,
        }
    }
}
