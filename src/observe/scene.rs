//! A *scene*: what the daemon sees of one frame, for a page to draw.
//!
//! It is taken from the core right after the core has taken the frame in, and joins the frame's
//! event by stream and `seq`. Landmarks leave the daemon this way only, and only when asked for.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use signd_core::features::placement::COUNT;
use signd_core::frame::{Hand, is_missing};
use signd_core::stream::{CoreSettings, Stream};
use signd_core::stream_id::StreamId;
use signd_core::wire::VERSION;
use signd_engine::model::ModelCard;

/// What the core makes of one frame. A plain value without heap data.
#[derive(Clone, Debug)]
pub struct FrameScene {
    /// The stream.
    pub stream: StreamId,
    /// Number of the frame.
    pub seq: u64,
    /// Its capture time, ns since the Unix epoch.
    pub t: u64,
    /// The dominant hand, once anything is known of either hand.
    pub dominant: Option<Hand>,
    /// The dominant hand counts as visible.
    pub visible: bool,
    /// It is above the rest line.
    pub raised: bool,
    /// How fast hand and fingers move, shoulder widths a second.
    pub motion: f32,
    /// The placed landmarks in shoulder widths, in the order of [`signd_core::features::placement`].
    pub points: [[f32; 2]; COUNT],
}

impl FrameScene {
    /// What `core` makes of the frame that it has just taken in; none if there was no such frame.
    pub fn of(stream: StreamId, core: &Stream) -> Option<FrameScene> {
        let view = core.view()?;
        Some(FrameScene {
            stream,
            seq: view.input.seq,
            t: view.input.t.0,
            dominant: view.dominant,
            visible: view.input.visible,
            raised: view.input.raised,
            motion: view.input.motion,
            points: view.placed.0,
        })
    }

    /// Writes what `core` makes of the frame that it has just taken in; nothing if there was none.
    pub fn write(stream: StreamId, core: &Stream, out: &mut Vec<u8>) {
        out.clear();
        if let Some(scene) = FrameScene::of(stream, core) {
            scene.encode(out);
        }
    }

    /// Writes it as a JSON object; `out` is cleared first.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        let item = SceneItem {
            v: VERSION,
            kind: "scene",
            stream: self.stream.as_str(),
            seq: self.seq,
            t: self.t,
            dominant: self.dominant,
            mirrored: self.dominant == Some(Hand::Left),
            visible: self.visible,
            raised: self.raised,
            motion: round(self.motion),
            points: Points(&self.points),
        };
        // Cannot fail: the values are plain and the writer is memory.
        let _ = serde_json::to_writer(out, &item);
    }
}

/// Where the core draws its lines, for a page to draw them too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SceneLines {
    /// Motion above which a raised hand begins a sign, shoulder widths a second; none where a tagger finds the
    /// signs.
    pub start_speed: Option<f32>,
    /// Motion below which a hand is still, likewise.
    pub still_speed: Option<f32>,
    /// Below this a hand rests, shoulder widths below the shoulders.
    pub rest_line: f64,
}

impl SceneLines {
    /// Those of a core with these settings and this model.
    pub fn of(core: &CoreSettings, model: &ModelCard) -> Self {
        let by_rules = model.tagger.is_none() || !core.segment.tagger;
        SceneLines {
            start_speed: by_rules.then_some(core.segment.start_speed),
            still_speed: by_rules.then_some(core.segment.still_speed),
            rest_line: core.gate.rest_line,
        }
    }
}

#[derive(Serialize)]
struct SceneItem<'a> {
    v: u64,
    kind: &'static str,
    stream: &'a str,
    seq: u64,
    t: u64,
    dominant: Option<Hand>,
    /// The points are: x has changed its sign, the left hand stands where a right one would.
    mirrored: bool,
    visible: bool,
    raised: bool,
    motion: f64,
    points: Points<'a>,
}

/// `[[x, y], …]`, null where missing.
struct Points<'a>(&'a [[f32; 2]; COUNT]);

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(COUNT))?;
        for point in self.0 {
            let place = (!is_missing(point)).then(|| point.map(round));
            seq.serialize_element(&place)?;
        }
        seq.end()
    }
}

/// To a thousandth, finer than any estimator sees.
fn round(x: f32) -> f64 {
    (f64::from(x) * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use signd_core::stream_id;

    #[test]
    fn a_scene_as_documented() {
        let mut points = [[f32::NAN; 2]; COUNT];
        points[0] = [-0.512_34, 0.25];
        let stream = stream_id::parse(b"cam1").expect("valid");
        let scene = FrameScene {
            stream,
            seq: 7,
            t: 9,
            dominant: Some(Hand::Left),
            visible: true,
            raised: false,
            motion: 0.100_04,
            points,
        };
        let mut text = Vec::new();
        scene.encode(&mut text);
        let text = String::from_utf8(text).expect("UTF-8");
        let head = r#"{"v":1,"kind":"scene","stream":"cam1","seq":7,"t":9,"dominant":"left","mirrored":true,"visible":true,"raised":false,"motion":0.1,"points":[[-0.512,0.25],null,"#;
        assert!(text.starts_with(head), "{text}");
        assert_eq!(text.matches("null").count(), COUNT - 1);
    }
}
