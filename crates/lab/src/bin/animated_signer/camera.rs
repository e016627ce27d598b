//! The camera and the pose estimator behind it.
//!
//! They make landmark frames of a person's points, with the faults that estimators have.

use signd_core::frame::{BodyPart, Frame, Landmark, SourceTime};

use crate::body::{ArmPose, pose};
use crate::draws::{SeededDraws, SmoothNoise};
use crate::face::FaceMesh;
use crate::performance::SignPerformance;
use crate::person::SignerProfile;
use crate::space::{SpaceRotation, SpaceVector, v};

/// How the person is filmed.
#[derive(Clone, Debug)]
pub struct VirtualCamera {
    /// Frames a second.
    pub fps: f32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The shoulders' middle: x from the picture's middle, y from its top, image heights.
    pub at: [f32; 2],
    /// Shoulder width, image heights.
    pub unit: f32,
    /// Jitter of landmarks, shoulder widths. Hands get all of it, the rest less.
    pub jitter: f32,
}

impl VirtualCamera {
    /// Draws a camera: webcams, phones held upright, broadcast.
    pub fn new(c: &mut SeededDraws) -> VirtualCamera {
        let (width, height) = c.pick(&[(640, 480), (1280, 720), (640, 360), (720, 960)]);
        // A phone held upright must still hold both elbows.
        let unit = if width < height { c.between(0.24, 0.32) } else { c.between(0.27, 0.44) };
        VirtualCamera {
            fps: c.pick(&[15.0, 20.0, 24.0, 25.0, 30.0, 30.0, 50.0, 60.0]),
            width,
            height,
            at: [c.normal(0.0, 0.05), 1.12 * unit + c.between(0.0, 0.12)],
            unit,
            jitter: c.between(0.0012, 0.006),
        }
    }

    fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }

    /// Where a point comes to lie in the picture. z is relative to `depth` and nominal.
    fn project(&self, p: SpaceVector, depth: f32) -> Landmark {
        // As from about five shoulder widths: what is nearer is larger.
        let scale = self.unit / (1.0 + 0.2 * p.z);
        let (x, y) = (self.at[0] + p.x * scale, self.at[1] + p.y * scale);
        [0.5 + x / self.aspect(), y, (p.z - depth) * self.unit / self.aspect()]
    }
}

/// When the estimator fails, seconds from and to.
#[derive(Clone, Debug, Default)]
pub struct EstimatorFaults {
    /// No hand is found.
    pub lost: Vec<[f32; 2]>,
    /// Left and right are exchanged.
    pub swapped: Vec<[f32; 2]>,
    /// Both hands are reported where the signing one is.
    pub doubled: Vec<[f32; 2]>,
}

impl EstimatorFaults {
    /// Draws the faults of so many seconds.
    pub fn new(c: &mut SeededDraws, seconds: f32, fps: f32) -> EstimatorFaults {
        let mut draw = |per_second: f32, shortest: f32, longest: f32| {
            let count = (seconds * per_second + c.unit()) as usize;
            let mut one = || {
                let from = c.between(0.0, seconds);
                [from, from + c.between(shortest, longest)]
            };
            (0..count).map(|_| one()).collect()
        };
        let frame = 1.0 / fps;
        EstimatorFaults {
            lost: draw(0.4, frame, 0.18),
            swapped: draw(0.06, frame, 2.0 * frame),
            doubled: draw(0.06, frame, frame),
        }
    }
}

fn during(faults: &[[f32; 2]], t: f32) -> bool {
    faults.iter().any(|[from, to]| (*from..*to).contains(&t))
}

/// The frames of a performance, `start` being the capture time of its beginning.
pub fn film(
    person: &SignerProfile,
    performance: &SignPerformance,
    camera: &VirtualCamera,
    faults: &EstimatorFaults,
    draws: &mut SeededDraws,
    start: SourceTime,
) -> Vec<Frame> {
    let mut filming = FilmSession::new(person, performance, camera, faults, draws);
    let count = (performance.now * camera.fps) as u64;
    let frame = |seq: u64| {
        let t = seq as f64 / f64::from(camera.fps);
        let at = SourceTime(start.0 + (t * 1e9).round() as u64);
        filming.frame(t as f32, Frame::new(seq, at, camera.width, camera.height))
    };
    (0..count).map(frame).collect()
}

struct FilmSession<'a> {
    person: &'a SignerProfile,
    performance: &'a SignPerformance<'a>,
    camera: &'a VirtualCamera,
    faults: &'a EstimatorFaults,
    face: FaceMesh,
    sway: SmoothNoise,
    nod: SmoothNoise,
    lips: SmoothNoise,
    tremor: [SmoothNoise; 2],
    /// A hand as a whole is misplaced more slowly than its points.
    drift: [SmoothNoise; 2],
    blinks: Vec<f32>,
    noise: SeededDraws,
}

impl<'a> FilmSession<'a> {
    fn new(
        person: &'a SignerProfile,
        performance: &'a SignPerformance<'a>,
        camera: &'a VirtualCamera,
        faults: &'a EstimatorFaults,
        c: &mut SeededDraws,
    ) -> FilmSession<'a> {
        let mut blink = 0.0;
        let blinks = std::iter::repeat_with(|| {
            blink += c.between(1.5, 6.0);
            blink
        });
        FilmSession {
            person,
            performance,
            camera,
            faults,
            face: FaceMesh::new(person),
            blinks: blinks.take_while(|t| *t < performance.now).collect(),
            sway: SmoothNoise::new(c, person.sway, 0.05, 0.4),
            nod: SmoothNoise::new(c, 0.05, 0.1, 0.8),
            lips: SmoothNoise::new(c, 0.6, 1.5, 4.0),
            tremor: [(); 2].map(|()| SmoothNoise::new(c, 0.008, 0.3, 2.0)),
            drift: [(); 2].map(|()| SmoothNoise::new(c, camera.jitter, 2.0, 7.0)),
            noise: c.fork(),
        }
    }

    fn frame(&mut self, t: f32, mut frame: Frame) -> Frame {
        let person = self.person;
        let breath = 0.012 * (std::f32::consts::TAU * 0.27 * t).sin();
        let arms: [ArmPose; 2] = std::array::from_fn(|i| {
            let mut held = self.performance.hands(t)[i];
            let tremor = self.tremor[i].at(t);
            for (number, off) in held.iter_mut().zip([tremor.x, tremor.y, tremor.z]) {
                *number += off;
            }
            ArmPose::reach(person, &held, breath)
        });
        let [lead, other] = arms;
        let [left, right] = match person.left_handed {
            true => [lead, other.mirrored()],
            false => [other, lead.mirrored()],
        };
        let face = self.head(self.performance.mouth(t), t);
        let body = pose(&face, &left, &right);

        let face_depth = face[234].z;
        let jitter = self.camera.jitter;
        self.put(t, &face, face_depth, 0.25 * jitter, frame.detect(BodyPart::Face));
        self.put(t, &body, 0.05, 0.2 * jitter, frame.detect(BodyPart::Pose));
        for (part, arm, drift) in [(BodyPart::LeftHand, &left, 0), (BodyPart::RightHand, &right, 1)]
        {
            let off = self.drift[drift].at(t);
            let hand = arm.hand.map(|p| p + v(off.x, off.y, 0.0));
            self.put(t, &hand, arm.hand[0].z, jitter, frame.detect(part));
        }
        self.fail(t, &mut frame);
        frame
    }

    /// The face with its expression, on a head that nods a little.
    fn head(&self, mouth: f32, t: f32) -> [SpaceVector; 468] {
        let (lips, nod) = (self.lips.at(t), self.nod.at(t));
        let blink = self.blinks.iter().any(|at| (0.0..0.15).contains(&(t - at)));
        let open = mouth * (0.35 + lips.x).clamp(0.0, 0.8);
        let points = self.face.points(open, mouth * lips.y, if blink { 1.0 } else { 0.0 });
        let turn = SpaceRotation::about(v(0.0, 1.0, 0.0), nod.x)
            .after(SpaceRotation::about(v(1.0, 0.0, 0.0), nod.y));
        // Heads turn on the neck, not about the middle between the ears.
        let neck = v(0.0, 0.35, 0.1);
        points.map(|p| turn.apply(p - neck) + neck + self.person.head_at())
    }

    /// Films points into a part of a frame.
    fn put(
        &mut self,
        t: f32,
        points: &[SpaceVector],
        depth: f32,
        jitter: f32,
        into: &mut [Landmark],
    ) {
        let facing = SpaceRotation::about(v(0.0, 1.0, 0.0), self.person.facing);
        let sway = self.sway.at(t);
        for (to, p) in into.iter_mut().zip(points) {
            let p = facing.apply(*p) + sway + self.noise.normal3(jitter);
            *to = self.camera.project(p, depth);
        }
    }

    /// What the estimator gets wrong.
    fn fail(&self, t: f32, frame: &mut Frame) {
        let outside = |frame: &Frame, part: BodyPart| {
            let knuckle = frame.points()[part.range().start + 9];
            !(0.01..0.99).contains(&knuckle[0]) || !(0.01..0.99).contains(&knuckle[1])
        };
        for part in [BodyPart::LeftHand, BodyPart::RightHand] {
            if outside(frame, part) || during(&self.faults.lost, t) {
                frame.miss(part);
            }
        }
        let (lead, other) = match self.person.left_handed {
            true => (BodyPart::LeftHand, BodyPart::RightHand),
            false => (BodyPart::RightHand, BodyPart::LeftHand),
        };
        if during(&self.faults.swapped, t) {
            let hands = [lead, other].map(|part| frame.part(part).map(<[Landmark]>::to_vec));
            for (part, hand) in [other, lead].into_iter().zip(hands) {
                match hand {
                    Some(hand) => frame.detect(part).copy_from_slice(&hand),
                    None => frame.miss(part),
                }
            }
        } else if during(&self.faults.doubled, t)
            && let Some(hand) = frame.part(lead).map(<[Landmark]>::to_vec)
        {
            let jitter = self.camera.jitter * self.camera.unit;
            for (to, p) in frame.detect(other).iter_mut().zip(hand) {
                *to = [p[0] + jitter, p[1] - jitter, p[2]];
            }
        }
    }
}
