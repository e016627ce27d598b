//! What the signer can do, as data: eight signs, and motions that are no sign.
//!
//! A motion enters a stance and then makes a *beat* (one or more stances) a number of times. Signs
//! follow their dictionary form in ASL and are named as in the GISLR vocabulary. To add a sign, add an
//! entry. The module `stance` explains the directions.

use crate::hand::{HandContact, HandShape};
use crate::person::RestPlace;
use crate::space::v;
use crate::stance::{BodyPlace, HandStance};

/// One step: go to a stance, then stay there.
#[derive(Clone, Copy, Debug)]
pub struct StanceStep {
    /// Seconds to get there at tempo 1.
    pub over: f32,
    /// Seconds to stay there at tempo 1.
    pub stay: f32,
    pub to: HandStance,
}

/// Something that a signer does with the hands.
#[derive(Clone, Copy, Debug)]
pub struct HandGesture {
    /// The label, or what the motion is.
    pub name: &'static str,
    pub enter: StanceStep,
    pub beat: &'static [StanceStep],
    /// Fewest and most beats.
    pub times: [u32; 2],
    /// The other hand does the mirror image.
    pub both: bool,
}

const fn step(over: f32, stay: f32, to: HandStance) -> StanceStep {
    StanceStep { over, stay, to }
}

const fn one_hand(
    name: &'static str,
    enter: StanceStep,
    beat: &'static [StanceStep],
    times: [u32; 2],
) -> HandGesture {
    HandGesture { name, enter, beat, times, both: false }
}

/// Flat hand at the temple, as in a salute.
const HELLO: HandStance = HandStance {
    shape: HandShape::FLAT,
    touch: HandContact::Fingertips,
    place: BodyPlace::Temple,
    off: v(0.06, 0.0, -0.06),
    fingers: v(-0.60, -0.75, 0.10),
    palm: v(-0.10, 0.25, -0.95),
};
/// Fingertips of the flat hand on the chin, palm to oneself.
const THANKYOU: HandStance = HandStance {
    shape: HandShape::FLAT,
    touch: HandContact::Fingertips,
    place: BodyPlace::Chin,
    off: v(0.0, -0.04, -0.05),
    fingers: v(-0.45, -0.85, 0.15),
    palm: v(0.0, -0.10, 1.0),
};
/// Thumb of the open hand on the chin, palm to the side.
const MOM: HandStance = HandStance {
    shape: HandShape::FIVE,
    touch: HandContact::Thumb,
    place: BodyPlace::Chin,
    off: v(0.02, -0.03, -0.02),
    fingers: v(0.0, -0.97, -0.20),
    palm: v(-0.75, 0.10, -0.65),
};
/// The same on the forehead.
const DAD: HandStance = HandStance { place: BodyPlace::Forehead, off: v(0.0, 0.02, -0.02), ..MOM };
/// Hand curved as around a glass, thumb at the lower lip.
const DRINK: HandStance = HandStance {
    shape: HandShape::CURVED,
    touch: HandContact::Thumb,
    place: BodyPlace::Mouth,
    off: v(0.06, 0.05, -0.10),
    fingers: v(-0.35, -0.40, -0.85),
    palm: v(-0.85, 0.1, 0.45),
};
/// Index finger on the temple.
const THINK: HandStance = HandStance {
    shape: HandShape::POINT,
    touch: HandContact::Index,
    place: BodyPlace::Temple,
    off: v(0.02, 0.0, -0.03),
    fingers: v(-0.60, -0.70, 0.35),
    palm: v(-0.60, 0.55, -0.45),
};
/// Upright index finger before the lips.
const SHHH: HandStance = HandStance {
    shape: HandShape::POINT,
    touch: HandContact::IndexMiddle,
    place: BodyPlace::Mouth,
    off: v(0.0, 0.0, -0.05),
    fingers: v(-0.10, -0.98, 0.05),
    palm: v(-0.95, 0.05, -0.25),
};
/// Two fingers and thumb apart, before the shoulder.
const NO: HandStance = HandStance {
    shape: HandShape::BEAK_OPEN,
    touch: HandContact::Wrist,
    place: BodyPlace::Before,
    off: v(-0.04, -0.05, 0.0),
    fingers: v(-0.30, -0.85, -0.40),
    palm: v(-0.45, 0.35, -0.80),
};

/// The signs.
pub const SIGNS: [HandGesture; 8] = [
    one_hand(
        "hello",
        step(0.0, 0.08, HELLO),
        &[step(
            0.36,
            0.12,
            HELLO.at(v(0.42, -0.06, -0.28)).turned(v(0.15, -0.98, -0.15), v(-0.1, 0.1, -0.98)),
        )],
        [1, 1],
    ),
    one_hand(
        "thankyou",
        step(0.0, 0.08, THANKYOU),
        &[step(
            0.40,
            0.12,
            THANKYOU.at(v(0.02, 0.36, -0.50)).turned(v(-0.35, -0.45, -0.80), v(-0.05, -0.8, 0.6)),
        )],
        [1, 1],
    ),
    one_hand(
        "mom",
        step(0.0, 0.06, MOM),
        &[step(0.13, 0.0, MOM.at(v(0.03, 0.02, -0.20))), step(0.13, 0.05, MOM)],
        [2, 3],
    ),
    one_hand(
        "dad",
        step(0.0, 0.06, DAD),
        &[step(0.13, 0.0, DAD.at(v(0.03, 0.03, -0.20))), step(0.13, 0.05, DAD)],
        [2, 3],
    ),
    one_hand(
        "drink",
        step(0.0, 0.05, DRINK),
        &[
            step(
                0.28,
                0.08,
                DRINK.at(v(0.06, 0.0, -0.08)).turned(v(-0.30, -0.80, -0.50), v(-0.9, 0.3, 0.2)),
            ),
            step(0.24, 0.0, DRINK),
        ],
        [1, 2],
    ),
    one_hand(
        "think",
        step(0.0, 0.0, THINK.at(v(0.14, 0.08, -0.12))),
        &[step(0.14, 0.20, THINK), step(0.12, 0.0, THINK.at(v(0.14, 0.07, -0.10)))],
        [1, 2],
    ),
    one_hand(
        "shhh",
        step(0.0, 0.0, SHHH.at(v(0.0, 0.06, -0.20))),
        &[step(0.16, 0.24, SHHH), step(0.16, 0.0, SHHH.at(v(0.0, 0.04, -0.16)))],
        [1, 2],
    ),
    one_hand(
        "no",
        step(0.0, 0.05, NO),
        &[
            step(0.13, 0.06, NO.at(v(-0.06, -0.02, -0.05)).shaped(HandShape::BEAK_SHUT)),
            step(0.13, 0.02, NO),
        ],
        [1, 2],
    ),
];

/// Crooked fingers at the cheek.
const SCRATCH: HandStance = HandStance {
    shape: HandShape::CROOKED,
    touch: HandContact::Index,
    place: BodyPlace::Cheek,
    off: v(0.02, 0.0, -0.02),
    fingers: v(-0.45, -0.80, 0.30),
    palm: v(-0.60, 0.10, 0.75),
};
/// Loose hand on top of the head.
const HAIR: HandStance = HandStance {
    shape: HandShape::LOOSE,
    touch: HandContact::Fingertips,
    place: BodyPlace::Crown,
    off: v(0.0, 0.0, -0.05),
    fingers: v(-0.60, -0.60, 0.50),
    palm: v(-0.55, 0.55, 0.60),
};
/// Knuckles at the nose.
const NOSE: HandStance =
    HandStance { place: BodyPlace::Nose, off: v(0.02, 0.02, -0.02), ..SCRATCH };
/// Loose hand before the body, as people talk.
const TALK: HandStance = HandStance {
    shape: HandShape::LOOSE,
    touch: HandContact::Wrist,
    place: BodyPlace::Before,
    off: v(0.0, 0.55, 0.0),
    fingers: v(-0.45, -0.40, -0.80),
    palm: v(-0.60, -0.40, 0.55),
};

/// Motions that are no sign.
pub const NO_SIGNS: [HandGesture; 4] = [
    one_hand(
        "scratch",
        step(0.0, 0.05, SCRATCH),
        &[
            step(0.09, 0.0, SCRATCH.at(v(0.03, 0.07, -0.02))),
            step(0.09, 0.0, SCRATCH.at(v(0.01, -0.02, -0.02))),
        ],
        [2, 6],
    ),
    one_hand(
        "hair",
        step(0.0, 0.05, HAIR),
        &[
            step(0.35, 0.05, HAIR.at(v(0.14, 0.12, 0.05))),
            step(0.30, 0.10, HAIR.at(v(0.20, 0.42, 0.02))),
        ],
        [1, 2],
    ),
    one_hand(
        "nose",
        step(0.0, 0.1, NOSE),
        &[
            step(0.11, 0.0, NOSE.at(v(-0.03, 0.03, -0.02))),
            step(0.11, 0.02, NOSE.at(v(0.04, 0.02, -0.02))),
        ],
        [1, 3],
    ),
    HandGesture {
        name: "talk",
        enter: step(0.0, 0.1, TALK),
        beat: &[
            step(
                0.26,
                0.05,
                TALK.at(v(0.12, 0.42, -0.05)).turned(v(0.0, -0.5, -0.8), v(-0.3, -0.8, 0.5)),
            ),
            step(0.24, 0.10, TALK.at(v(-0.08, 0.66, 0.02))),
        ],
        times: [2, 5],
        both: true,
    },
];

/// How a hand rests there.
pub const fn resting(place: RestPlace) -> HandStance {
    match place {
        RestPlace::Hanging => HANGING,
        RestPlace::Lap => LAP,
    }
}

/// The hand hanging beside the hip.
const HANGING: HandStance = HandStance {
    shape: HandShape::LOOSE,
    touch: HandContact::Wrist,
    place: BodyPlace::Hip,
    off: v(0.0, 0.0, 0.0),
    fingers: v(-0.05, 1.0, -0.10),
    palm: v(-0.95, 0.0, 0.30),
};
/// The hand before the belly, on the other one.
const LAP: HandStance = HandStance {
    off: v(-0.50, -0.22, -0.30),
    fingers: v(-0.90, 0.35, -0.25),
    palm: v(0.0, 0.3, 0.95),
    ..HANGING
};
