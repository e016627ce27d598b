//! Do these landmarks look like a person before a camera, and these times like a camera's?
//!
//! A client that sends pixels, mirrored landmarks or milliseconds is well formed and useless: every frame is
//! accepted and no sign is found. This module judges landmarks and times by what holds for every body and
//! every camera. It is pure: `import` asks it about a whole clip, the daemon about the first seconds of
//! each stream, `doctor` about what it hears.
//!
//! The bounds were set on 3,504 recordings of 400 people. None of them is doubted for a reason that
//! [`InputDoubt::is_certain`] calls certain; `docs/ARCHITECTURE.md` has the table.

mod body;
mod judge;
pub mod order;
mod pace;

pub use judge::{DoubtThreshold, InputJudge};
pub use pace::USUAL_RATES;

/// Something about the input that a person before a camera would not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputDoubt {
    /// All points of a part at one and the same place.
    RepeatedValue,
    /// Coordinates in pixels.
    Pixels,
    /// Coordinates relative to the body.
    BodyRelative,
    /// Coordinates of a hand relative to its wrist.
    HandRelative,
    /// The signer's left on the image's left.
    Mirrored,
    /// The head beside or below the shoulders.
    NotUpright,
    /// A face away from the head.
    FaceApart,
    /// A hand away from both wrists.
    HandApart,
    /// Each hand at the other hand's wrist.
    HandsExchanged,
    /// Points that do not lie as a body's do.
    Misfit,
    /// A face too narrow or too wide for the image size given.
    ImageShape,
    /// Hands without a body.
    NoBody,
    /// Not one hand in any frame of a clip.
    NoHands,
    /// Not one part in any frame.
    NoPerson,
    /// More or fewer frames a second than a camera gives.
    FrameRate,
    /// Capture times in another unit than nanoseconds.
    TimeUnit,
    /// Capture times far from this machine's clock.
    ClockOffset,
    /// Capture times that run faster or slower than this machine's clock.
    ClockPace,
}

/// What is told of a doubt.
struct Words {
    found: &'static str,
    expected: &'static str,
    /// What puts a file right.
    file: &'static str,
    /// What puts a camera program right.
    camera: &'static str,
}

impl InputDoubt {
    /// All of them, in the order of their numbers.
    pub const ALL: [InputDoubt; 18] = [
        InputDoubt::RepeatedValue,
        InputDoubt::Pixels,
        InputDoubt::BodyRelative,
        InputDoubt::HandRelative,
        InputDoubt::Mirrored,
        InputDoubt::NotUpright,
        InputDoubt::FaceApart,
        InputDoubt::HandApart,
        InputDoubt::HandsExchanged,
        InputDoubt::Misfit,
        InputDoubt::ImageShape,
        InputDoubt::NoBody,
        InputDoubt::NoHands,
        InputDoubt::NoPerson,
        InputDoubt::FrameRate,
        InputDoubt::TimeUnit,
        InputDoubt::ClockOffset,
        InputDoubt::ClockPace,
    ];

    /// The name under which it is published and counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            InputDoubt::RepeatedValue => "repeated_value",
            InputDoubt::Pixels => "pixels",
            InputDoubt::BodyRelative => "body_relative",
            InputDoubt::HandRelative => "hand_relative",
            InputDoubt::Mirrored => "mirrored",
            InputDoubt::NotUpright => "not_upright",
            InputDoubt::FaceApart => "face_apart",
            InputDoubt::HandApart => "hand_apart",
            InputDoubt::HandsExchanged => "hands_exchanged",
            InputDoubt::Misfit => "misfit",
            InputDoubt::ImageShape => "image_shape",
            InputDoubt::NoBody => "no_body",
            InputDoubt::NoHands => "no_hands",
            InputDoubt::NoPerson => "no_person",
            InputDoubt::FrameRate => "frame_rate",
            InputDoubt::TimeUnit => "time_unit",
            InputDoubt::ClockOffset => "clock_offset",
            InputDoubt::ClockPace => "clock_pace",
        }
    }

    /// Whether no recording of a person looks like this. `import` refuses such a file; it warns of the
    /// other doubts, which a rare recording may show, as of a dancer upside down or an empty room.
    #[must_use]
    pub fn is_certain(self) -> bool {
        matches!(
            self,
            InputDoubt::Pixels
                | InputDoubt::BodyRelative
                | InputDoubt::HandRelative
                | InputDoubt::Mirrored
                | InputDoubt::FaceApart
                | InputDoubt::HandApart
        )
    }

    /// What was found, in a few words.
    #[must_use]
    pub fn what(self) -> &'static str {
        self.words().found
    }

    /// What was found, and for example where or how much.
    #[must_use]
    pub fn found(self, example: [f32; 2]) -> String {
        let found = self.what();
        let [x, y] = example;
        match self {
            InputDoubt::NoBody | InputDoubt::NoHands | InputDoubt::NoPerson => found.to_owned(),
            InputDoubt::Misfit => {
                format!("{found} ({:.0} % of what holds for every body holds)", 100.0 * x)
            }
            InputDoubt::ImageShape => format!("{found} (width over height: {x:.2})"),
            InputDoubt::FrameRate | InputDoubt::TimeUnit => {
                format!("{found} ({x:.1} frames a second)")
            }
            InputDoubt::ClockOffset => format!("{found} ({x:.0} s)"),
            InputDoubt::ClockPace => format!("{found} ({x:.2} times as fast)"),
            _ => format!("{found} (for example at {x:.2}, {y:.2})"),
        }
    }

    /// What is expected instead.
    #[must_use]
    pub fn expected(self) -> &'static str {
        self.words().expected
    }

    /// What puts a file right.
    #[must_use]
    pub fn file_remedy(self) -> &'static str {
        self.words().file
    }

    /// What puts a camera program right.
    #[must_use]
    pub fn camera_remedy(self) -> &'static str {
        self.words().camera
    }

    fn words(self) -> Words {
        const IMAGE: &str = "x in image widths and y in image heights, 0 to 1 inside the image";
        let (found, expected, file, camera) = match self {
            InputDoubt::RepeatedValue => (
                "a whole part, or points of the body or a hand, at a place that stands for missing ones",
                "nil for a part that was not detected, and NaN for a single missing point",
                "--missing VALUE takes this value for missing",
                "send nil for a part that was not detected, and NaN for a single missing point",
            ),
            InputDoubt::Pixels => (
                "a head or a hand outside any image, as in pixels",
                IMAGE,
                "--pixels divides the coordinates by the image size",
                "divide x by the image width and y by the image height before you send",
            ),
            InputDoubt::BodyRelative => (
                "shoulders or nose where coordinates relative to the body have them",
                "places in the image, measured from its upper left corner",
                "Export the landmarks again without normalising them",
                "send the estimator's image landmarks, not its world or normalised ones",
            ),
            InputDoubt::HandRelative => (
                "the wrist of a hand at exactly 0, 0, as in coordinates relative to the wrist",
                "places in the image, measured from its upper left corner",
                "Export the landmarks again without normalising them",
                "send the estimator's image landmarks, not its world or normalised ones",
            ),
            InputDoubt::Mirrored => (
                "the signer's left shoulder and cheek on the image's left, of a face that looks at the camera",
                "the signer's left on the image's right",
                "--mirrored mirrors x back",
                "mirror the picture before the estimator sees it, or not at all, and never the landmarks",
            ),
            InputDoubt::NotUpright => (
                "the head beside or below the shoulders",
                "a picture the right way up, and y measured downwards",
                "Turn the picture upright before the estimator sees it, or y if it points up in this file",
                "turn the picture upright before the estimator sees it, and send y measured downwards",
            ),
            InputDoubt::FaceApart => (
                "a face away from the head",
                "the face mesh around the body's nose, in the same coordinates",
                "--order says in which order the parts lie in an array",
                "look at which points you send as which part, and in which coordinates",
            ),
            InputDoubt::HandApart => (
                "a hand away from both wrists",
                "each hand at a wrist of the body, in the same coordinates",
                "--order says in which order the parts lie in an array",
                "send hands in the coordinates of the whole image, as the body",
            ),
            InputDoubt::Misfit => (
                "points that do not lie as a body's do",
                "MediaPipe's points in MediaPipe's order",
                "Look at which points the file holds, and in which order",
                "look at which points you send, and in which order",
            ),
            InputDoubt::HandsExchanged => (
                "each hand at the other hand's wrist",
                "the signer's own left and right hand",
                "signd exchanges them where it sees the wrists, and better data needs no exchange",
                "send the signer's own left as left_hand. signd exchanges them where it sees the wrists",
            ),
            InputDoubt::ImageShape => (
                "a face of a shape that faces do not have at this image size",
                "image width and height as the estimator saw the picture",
                "--size WxH gives the right size, if width and height are exchanged or wrong",
                "send the picture's width as w and its height as h",
            ),
            InputDoubt::NoBody => (
                "hands without a body",
                "the 33 body landmarks with the hands",
                "Use an estimator of the whole body",
                "send `pose` too: shoulders and wrists place the hands",
            ),
            InputDoubt::NoHands => (
                "not one hand in any frame",
                "hands in the picture",
                "Look at the picture: are the hands in it, and large enough?",
                "look at the picture: are the hands in it, and large enough?",
            ),
            InputDoubt::NoPerson => (
                "not one part in any frame",
                "a person in the picture",
                "Look at the picture: light, distance, and which camera it is",
                "look at the picture: light, distance, and which camera it is",
            ),
            InputDoubt::FrameRate => (
                "an unusual frame rate",
                "10 to 240 frames a second, 15 or more for fast signs",
                "--fps N gives the right rate",
                "stamp each frame when it is captured, and send 15 or more a second",
            ),
            InputDoubt::TimeUnit => (
                "capture times too close together",
                "`t` in nanoseconds",
                "--fps N gives the right rate",
                "send `t` in nanoseconds since the Unix epoch, not in milliseconds or microseconds",
            ),
            InputDoubt::ClockOffset => (
                "capture times far from this machine's clock",
                "`t` in nanoseconds since the Unix epoch, by a clock that is right",
                "",
                "let both machines run NTP, and stamp frames with the time of day, not the time since boot",
            ),
            InputDoubt::ClockPace => (
                "capture times that run at another pace than this machine's clock",
                "the time at which each frame was captured",
                "",
                "stamp each frame when it is captured. Do not count frames times a nominal rate",
            ),
        };
        Words { found, expected, file, camera }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_doubt_has_the_name_that_events_carry() {
        for (number, doubt) in InputDoubt::ALL.into_iter().enumerate() {
            assert_eq!(doubt as usize, number);
            let name = serde_json::to_value(doubt).expect("JSON");
            assert_eq!(name, doubt.name());
        }
    }

    #[test]
    fn what_is_found_is_said_with_an_example() {
        let said = InputDoubt::Pixels.found([312.0, 190.5]);
        assert!(said.ends_with("(for example at 312.00, 190.50)"), "{said}");
        let said = InputDoubt::FrameRate.found([1000.0, 0.0]);
        assert!(said.ends_with("(1000.0 frames a second)"), "{said}");
    }
}
