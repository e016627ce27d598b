//! Rows: what a model eats, at its own rate.
//!
//! A camera delivers 15 to 60 frames a second, unevenly. The landmarks are resampled by capture time
//! to grid points `k / rate` after the stream's first frame: linear between the two frames around a
//! grid point, and where only one of them has a landmark, the nearer frame's. Causal: a grid point
//! is settled by the first frame at or after it.

use super::{PlacedLandmarks, Schema};
use crate::frame::{Frame, SourceTime, is_missing};

/// Frames further apart than this are not joined by a line; the rows between are missing.
const LONGEST_LINE_S: f64 = 0.2;
/// A frame this little before a grid point settles it: capture times are rounded.
const EARLY_NS: u64 = 1_000_000;

/// What the rows of a model hold.
#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    /// Columns of a schema at grid points.
    Features {
        /// The columns.
        schema: Schema,
        /// Grid points a second.
        rate: f64,
    },
    /// Raw landmarks, 543 x 3, one row per frame as it came.
    Landmarks,
}

impl RowKind {
    /// Numbers in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            RowKind::Features { schema, .. } => schema.width(),
            RowKind::Landmarks => crate::frame::POINTS * 3,
        }
    }
}

/// Makes the rows of one stream.
#[derive(Clone, Debug)]
pub struct RowBuilder {
    kind: RowKind,
    made: u64,
    anchor: Option<SourceTime>,
    /// Index of the next grid point, counted from the anchor.
    next: u64,
    frame: Option<SourceTime>,
    placed: PlacedLandmarks,
}

impl RowBuilder {
    /// A maker of rows that has seen nothing.
    #[must_use]
    pub fn new(kind: RowKind) -> Self {
        RowBuilder {
            kind,
            made: 0,
            anchor: None,
            next: 0,
            frame: None,
            placed: PlacedLandmarks::default(),
        }
    }

    /// Takes a frame; appends the rows it settles to `out`.
    pub fn push(&mut self, frame: &Frame, placed: &PlacedLandmarks, out: &mut Vec<f32>) {
        match self.kind {
            RowKind::Features { rate, .. } => self.settle(frame.t, placed, rate, out),
            RowKind::Landmarks => {
                out.extend_from_slice(frame.points().as_flattened());
                self.made += 1;
            }
        }
    }

    /// How many rows there have been: the index of the next one.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Forgets all frames: the next one is the first of a new grid. Row indices go on.
    pub fn restart(&mut self) {
        self.anchor = None;
        self.frame = None;
    }

    /// Forgets where the landmarks were, as when the other hand becomes dominant and the view is
    /// mirrored: no line joins the two. The grid goes on.
    pub fn forget(&mut self) {
        self.placed = PlacedLandmarks::default();
    }

    fn settle(&mut self, t: SourceTime, placed: &PlacedLandmarks, rate: f64, out: &mut Vec<f32>) {
        let Some(anchor) = self.anchor else {
            self.anchor = Some(t);
            self.next = 1;
            self.row(placed, out);
            self.remember(t, placed);
            return;
        };
        while let Some(point) = self.due(anchor, t, rate) {
            self.next += 1;
            let settled = self.between(point, t, placed);
            self.row(&settled, out);
        }
        self.remember(t, placed);
    }

    /// The next grid point, if a frame at `t` settles it. In 128 bits it rises with every index, so that
    /// this comes to an end at any time: in 64 it would stand still at the last one.
    fn due(&self, anchor: SourceTime, t: SourceTime, rate: f64) -> Option<SourceTime> {
        let after = (self.next as f64 * 1e9 / rate).round() as u128;
        let point = u64::try_from(u128::from(anchor.0) + after).ok()?;
        (point <= t.0.saturating_add(EARLY_NS)).then_some(SourceTime(point))
    }

    /// The landmarks at a grid point between the frame before and this one.
    fn between(
        &self,
        point: SourceTime,
        t: SourceTime,
        placed: &PlacedLandmarks,
    ) -> PlacedLandmarks {
        let Some(before) = self.frame else { return placed.clone() };
        let (whole, part) = (t.seconds_since(before), point.seconds_since(before));
        let share = (part / whole).clamp(0.0, 1.0) as f32;
        if whole > LONGEST_LINE_S {
            // Only what lies next to a frame is known.
            let near = LONGEST_LINE_S / 4.0;
            return match (part < near, whole - part < near) {
                (true, _) => self.placed.clone(),
                (_, true) => placed.clone(),
                _ => PlacedLandmarks::default(),
            };
        }
        let mut settled = PlacedLandmarks::default();
        for (out, (p, q)) in settled.0.iter_mut().zip(self.placed.0.iter().zip(&placed.0)) {
            *out = match is_missing(p) || is_missing(q) {
                false => [0, 1].map(|d| p[d] + (q[d] - p[d]) * share),
                true if share < 0.5 => *p,
                true => *q,
            };
        }
        settled
    }

    fn row(&mut self, settled: &PlacedLandmarks, out: &mut Vec<f32>) {
        if let RowKind::Features { schema, .. } = &self.kind {
            schema.extend_row(settled, out);
        }
        self.made += 1;
    }

    fn remember(&mut self, t: SourceTime, placed: &PlacedLandmarks) {
        self.frame = Some(t);
        self.placed.clone_from(placed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::placement::HAND;
    use crate::features::schema::NAME;

    const RATE: f64 = 30.0;

    fn rows() -> RowBuilder {
        let schema = Schema::parse(NAME, "hand").expect("valid");
        RowBuilder::new(RowKind::Features { schema, rate: RATE })
    }

    /// A hand moving along x by one shoulder width a second, seen at `t` seconds.
    fn moving(t: f64) -> PlacedLandmarks {
        let mut placed = PlacedLandmarks::default();
        placed.0[HAND].fill([t as f32, 0.5]);
        placed
    }

    fn at(t: f64) -> Frame {
        Frame::new(0, SourceTime(5_000_000_000 + (t * 1e9).round() as u64), 640, 480)
    }

    /// The first column, an x, of every row.
    fn xs(rows: &[f32]) -> Vec<f32> {
        rows.chunks(2 * HAND.len()).map(|row| row[0]).collect()
    }

    /// The same of every row of a second seen at `fps`.
    fn second(fps: f64) -> Vec<f32> {
        let (mut rows, mut out) = (rows(), Vec::new());
        for i in 0..=(fps as usize) {
            let t = i as f64 / fps;
            rows.push(&at(t), &moving(t), &mut out);
        }
        xs(&out)
    }

    #[test]
    fn fifteen_and_sixty_frames_a_second_give_the_same_rows() {
        let reference = second(30.0);
        assert_eq!(reference.len(), 31);
        for fps in [15.0, 24.0, 25.0, 29.97, 50.0, 60.0] {
            let rows = second(fps);
            // A rate that does not divide the grid's leaves the last point unsettled.
            assert!(rows.len() >= 30, "{fps}: {}", rows.len());
            for (i, (a, b)) in rows.iter().zip(&reference).enumerate() {
                assert!((a - b).abs() < 1e-6, "{fps} row {i}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_landmark_that_appears_is_taken_from_the_nearer_frame() {
        let (mut rows, mut out) = (rows(), Vec::new());
        rows.push(&at(0.0), &PlacedLandmarks::default(), &mut out);
        rows.push(&at(0.1), &moving(0.1), &mut out);
        let x = xs(&out);
        assert!(x[0].is_nan() && x[1].is_nan(), "{x:?}");
        assert!((x[2] - 0.1).abs() < 1e-6 && (x[3] - 0.1).abs() < 1e-6, "{x:?}");
    }

    #[test]
    fn a_long_gap_is_missing_and_not_a_line() {
        let (mut rows, mut out) = (rows(), Vec::new());
        rows.push(&at(0.0), &moving(0.0), &mut out);
        rows.push(&at(0.5), &moving(0.5), &mut out);
        let x = xs(&out);
        assert_eq!(x.len(), 16);
        assert!(x[3..14].iter().all(|x| x.is_nan()), "{x:?}");
        assert!(x[15] == 0.5);
    }

    // raspberrypi/linux#2214
    #[test]
    fn the_grid_comes_to_an_end_with_time_itself() {
        for (first, last) in
            [(u64::MAX - 500_000, u64::MAX - 1), (u64::MAX - 300_000_000, u64::MAX)]
        {
            let (mut rows, mut out) = (rows(), Vec::new());
            for t in [first, last] {
                let frame = Frame::new(0, SourceTime(t), 640, 480);
                rows.push(&frame, &moving(0.0), &mut out);
            }
            assert_eq!(rows.made(), 1 + (last - first) * 30 / 1_000_000_000);
        }
    }

    #[test]
    fn days_after_its_first_frame_the_grid_still_has_its_rate() {
        let (mut rows, mut out) = (rows(), Vec::new());
        rows.anchor = Some(SourceTime(1));
        let days = 30 * 24 * 3600 * 30;
        rows.next = days;
        let begin = days * 1_000_000_000 / 30;
        for i in 0..=10 {
            let frame = Frame::new(i, SourceTime(begin + i * 100_000_000), 640, 480);
            rows.push(&frame, &moving(0.0), &mut out);
        }
        assert_eq!(rows.made(), 31);
    }

    #[test]
    fn restart_begins_a_new_grid_and_row_numbers_go_on() {
        let (mut rows, mut out) = (rows(), Vec::new());
        rows.push(&at(0.0), &moving(0.0), &mut out);
        rows.restart();
        rows.push(&at(0.09), &moving(0.09), &mut out);
        assert_eq!((rows.made(), xs(&out)), (2, vec![0.0, 0.09]), "no row between the two");
        rows.push(&at(0.13), &moving(0.13), &mut out);
        let x = xs(&out);
        assert!(
            (rows.made(), x.len()) == (3, 3) && (x[2] - 0.09 - 1.0 / 30.0).abs() < 1e-6,
            "{x:?}"
        );
    }

    #[test]
    fn no_line_joins_what_is_forgotten_to_what_comes_and_the_grid_goes_on() {
        let (mut rows, mut out) = (rows(), Vec::new());
        rows.push(&at(0.0), &moving(0.0), &mut out);
        rows.forget();
        rows.push(&at(0.1), &moving(0.1), &mut out);
        let x = xs(&out);
        assert!(x[0] == 0.0 && x[1].is_nan() && x[2..] == [0.1, 0.1], "{x:?}");
    }
}
