//! The ground truth of a stream: its signs, and when each of them is made.

use super::span::TimeSpan;
use super::track::LandmarkTrack;

/// A sign that is truly there.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueSign {
    /// The output that is its label. None for a gloss that the model does not know.
    pub label: Option<u16>,
    /// What it is called.
    pub gloss: String,
    /// Who signs.
    pub signer: String,
    /// The recording.
    pub path: String,
    /// First and last moment, s.
    pub span: TimeSpan,
    /// First and last moment of the clip that it comes from, as its maker cut it.
    pub clip: TimeSpan,
}

/// A stream and all that is truly in it.
#[derive(Clone, Debug)]
pub struct AnnotatedStream {
    /// The landmarks.
    pub track: LandmarkTrack,
    /// The signs in it, in their order.
    pub signs: Vec<TrueSign>,
    /// First and last moment of each visit, s.
    pub visits: Vec<TimeSpan>,
    /// Image width and height of its camera, pixels.
    pub size: (u32, u32),
    /// Nothing was cut out of its time.
    pub gapless: bool,
    /// It is real signing, in the order of its glosses.
    pub sentence: bool,
}
