"""Clips as other bodies, cameras, estimators and cuts would have made them, many at a time.

Everything works on landmarks `[B,T,P,2]` of the daemon's own rows, `NaN` where missing, on whatever
device they are. Rows are drawn from the clips of a `ClipStore`, each clip at its own course of
time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..features import FACE, HAND, OTHER
from ..landmarks import FINGERS, ROW_MIRROR
from .clip_store import ClipStore

HANDS = (HAND, OTHER)
LONGEST = 110
"""Rows of a clip, at most."""
SHORTEST = 5
CAMERA_ROWS = (1.0, 1.0, 1.0, 1.2, 1.25, 1.5, 2.0)
"""Rows from one frame of a camera to the next: 30, 25, 24, 20 and 15 frames a second."""


@dataclass(frozen=True)
class Plan:
    """What is drawn: one entry a clip."""

    clip: Tensor
    """Number of the clip that gives path, face and time."""
    hand: Tensor
    """Number of the clip that gives the shape of the dominant hand. That of `clip` for a clip as it
    is."""
    whole: Tensor
    """Whether the clip is one sign. Of others a piece is taken."""
    warped: Tensor
    """Whether fingers and paths are changed so far that the sign may be another."""


def augmented(store: ClipStore, plan: Plan, draw: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Bent clips: landmarks `[B,T,P,2]`, `[B,T]`, 1 on rows that are there, and `[B]`, whether a
    clip is mirrored, so that its dominant hand is where the other hand of a clip is."""
    dice = Dice(draw, len(plan.clip))
    course = Course.drawn(store, plan, dice)
    p = sampled(store, plan.clip, course)
    mixed = plan.hand != plan.clip
    if mixed.any():
        shape = sampled(store, plan.hand, course.over(store, plan.hand))[:, :, HAND]
        shape = shape - shape[:, :, :1]
        joined = p[:, :, HAND][:, :, :1] + shape
        p[:, :, HAND] = torch.where(mixed[:, None, None, None], joined, p[:, :, HAND])
    p = bent(p, plan.warped, course.share, dice)
    p = lowered(p, course, dice)
    p = worse_seen(p, course, dice)
    mirrored = dice.chance(0.1)
    p = torch.where(
        mirrored[:, None, None, None],
        p[:, :, ROW_MIRROR] * torch.tensor([-1.0, 1.0], device=p.device),
        p,
    )
    valid = course.valid()
    p = torch.where(valid[:, :, None, None] > 0, p, torch.nan)
    return p, valid, mirrored


class Dice:
    """Random numbers, one or some for each of B clips."""

    def __init__(self, draw: torch.Generator, count: int) -> None:
        self.draw, self.count, self.device = draw, count, draw.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """`[B,*shape]` from low to high."""
        u = torch.rand(self.count, *shape, generator=self.draw, device=self.device)
        return low + (high - low) * u

    def normal(self, spread: float, *shape: int) -> Tensor:
        """`[B,*shape]` about zero."""
        return spread * torch.randn(self.count, *shape, generator=self.draw, device=self.device)

    def chance(self, often: float) -> Tensor:
        """`[B]`, true so often."""
        return self.uniform(0, 1) < often

    def wave(self, share: Tensor, spread: float) -> Tensor:
        """Slow courses over times `[B,T]` from 0 to 1: a constant and two waves of at most one and
        a half periods."""
        out = self.normal(spread, 1).expand_as(share)
        for _ in range(2):
            turn = 2 * torch.pi * (self.uniform(0.3, 1.5, 1) * share + self.uniform(0, 1, 1))
            out = out + self.normal(0.6 * spread, 1) * torch.sin(turn)
        return out


@dataclass(frozen=True)
class Course:
    """Which moment of its recording each row of a bent clip shows."""

    first: Tensor
    """Row of the recording where the clip begins, `[B]`, and where it ends."""
    last: Tensor
    share: Tensor
    """Way from one to the other, `[B,T]`, 0 to 1, with other timing than the recording's."""
    row: Tensor
    """Row number within the bent clip, `[1,T]`."""
    rows: Tensor
    """Rows of each bent clip, `[B]`."""
    lead: Tensor
    """Rows before the hand is where the sign begins, and after it, `[B]`."""
    trail: Tensor
    frame: Tensor
    """Rows from one frame of the camera to the next, `[B]`."""

    @staticmethod
    def drawn(store: ClipStore, plan: Plan, dice: Dice) -> "Course":
        """Begin, end, pace, lead-in and lead-out of each clip."""
        length = store.length[plan.clip].float()
        # Of recordings that are no single sign, a piece. Cuts of signs are never exact.
        piece = dice.uniform(15, 90).minimum(length)
        at = dice.uniform(0, 1) * (length - piece)
        cut = dice.chance(0.5).float() * length
        first = torch.where(plan.whole, cut * dice.uniform(0, 0.1), at)
        last = torch.where(plan.whole, length - 1 - cut * dice.uniform(0, 0.1), at + piece - 1)
        last = last.maximum(first + 1)
        rows = ((last - first + 1) * dice.normal(0.3).exp()).round().clamp(SHORTEST, LONGEST)
        lead, trail = ((dice.chance(0.35) * dice.uniform(2, 14)).floor() for _ in range(2))
        rows = (rows + lead + trail).clamp(max=LONGEST)
        row = torch.arange(int(rows.max()), device=dice.device)[None].float()
        inner = (rows - lead - trail).clamp(min=2)
        share = ((row - lead[:, None]) / (inner[:, None] - 1)).clamp(0, 1)
        bow = dice.wave(share, 0.05) * torch.sin(torch.pi * share)
        share = (share + bow).clamp(0, 1).cummax(dim=1).values
        choice = torch.tensor(CAMERA_ROWS, device=dice.device)
        frame = choice[(dice.uniform(0, 1) * len(choice)).long().clamp(max=len(choice) - 1)]
        return Course(first, last, share, row, rows, lead, trail, frame)

    def over(self, store: ClipStore, clip: Tensor) -> "Course":
        """The same course over whole other clips."""
        length = store.length[clip].float()
        return Course(
            torch.zeros_like(length), length - 1, self.share, self.row, self.rows, self.lead,
            self.trail, self.frame,
        )  # fmt: skip

    def valid(self) -> Tensor:
        """`[B,T]`, 1 on rows that are there."""
        return (self.row < self.rows[:, None]).float()


def sampled(store: ClipStore, clip: Tensor, course: Course) -> Tensor:
    """Landmarks `[B,T,P,2]` of clips along a course, as a camera of its own rate and the daemon's
    grid give them."""
    frame = course.frame[:, None]
    before = (course.row / frame).floor() * frame
    part = (course.row - before) / frame
    last = course.share.shape[1] - 1

    def at(row: Tensor) -> Tensor:
        """Landmarks at rows of the bent clip, between whole ones too."""
        low = row.floor().long().clamp(0, last)
        high = (low + 1).clamp(max=last)
        share = torch.lerp(
            course.share.gather(1, low), course.share.gather(1, high), row - row.floor()
        )
        place = course.first[:, None] + share * (course.last - course.first)[:, None]
        return store.between(clip, place)

    return between(at(before), at(before + frame), part)


def between(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    """A line from one set of landmarks to another, `part [B,T]` of the way. The nearer where one is
    missing."""
    part = part[:, :, None, None]
    line = a + (b - a) * part
    return torch.where(torch.isnan(line), torch.where(part < 0.5, a, b), line)


def turned(p: Tensor, angle: Tensor) -> Tensor:
    """Landmarks `[B,T,P,2]` turned about the origin by `[B]` or `[B,T]` radians."""
    angle = angle.reshape(*angle.shape, *[1] * (3 - angle.dim()))
    c, s = angle.cos(), angle.sin()
    x, y = p[..., 0], p[..., 1]
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def bent(p: Tensor, warped: Tensor, share: Tensor, dice: Dice) -> Tensor:
    """As another body and another camera would have made it, and where `warped` as another sign:
    with other fingers and other paths."""
    much = warped.float()[:, None]
    for hand in HANDS:
        root = p[:, :, hand][:, :, :1]
        shape = p[:, :, hand] - root
        flexed = fingers_moved(shape, share, dice)
        shape = torch.where(warped[:, None, None, None], flexed, shape)
        shape = turned(shape, dice.normal(0.12))
        size = (dice.normal(0.08, 1) + dice.normal(0.08, 2)).exp()
        shape = shape * size[:, None, None]
        move = dice.normal(0.05, 1, 2) + much[..., None] * torch.stack(
            [dice.wave(share, 0.07), dice.wave(share, 0.07)], dim=-1
        )
        p[:, :, hand] = root + shape + move[:, :, None]
    p[:, :, FACE] += dice.normal(0.04, 1, 1, 2)
    p = turned(p, dice.normal(0.1))
    p = p * dice.normal(0.07, 1, 1, 2).exp()
    x = p[..., 0] + dice.normal(0.05, 1, 1) * p[..., 1]
    return torch.stack([x, p[..., 1]], dim=-1)


def fingers_moved(shape: Tensor, share: Tensor, dice: Dice) -> Tensor:
    """A hand `[B,T,21,2]` about its wrist with its fingers turned and shortened at their joints."""
    shape = shape.clone()
    for finger in FINGERS:
        for joint in range(3):
            root, moved = finger[joint], list(finger[joint + 1 :])
            arm = shape[:, :, moved] - shape[:, :, root : root + 1]
            arm = turned(arm, dice.wave(share, 0.16))
            arm = arm * dice.wave(share, 0.08).exp()[:, :, None, None]
            shape[:, :, moved] = shape[:, :, root : root + 1] + arm
    return shape


def lowered(p: Tensor, course: Course, dice: Dice) -> Tensor:
    """Hands come from rest before the sign and go there after it, and are lost low in the
    picture."""
    edge = dice.uniform(1.0, 2.2)
    lost = dice.chance(0.5)
    after = (course.rows - course.trail)[:, None]
    for hand in HANDS:
        down = torch.zeros_like(course.share)[..., None].expand(-1, -1, 2)
        for way in (
            (course.lead[:, None] - course.row) / course.lead.clamp(min=1)[:, None],
            (course.row - after + 1) / course.trail.clamp(min=1)[:, None],
        ):
            rest = torch.stack([dice.normal(0.25), dice.uniform(0.4, 1.6)], dim=-1)
            eased = way.clamp(0, 1)
            eased = eased * eased * (3 - 2 * eased)
            down = down + eased[..., None] * rest[:, None]
        p[:, :, hand] += down[:, :, None]
        low = p[:, :, hand.start + 9, 1] > edge[:, None]
        gone = low & lost[:, None]
        p[:, :, hand] = p[:, :, hand].masked_fill(gone[:, :, None, None], torch.nan)
    return p


def worse_seen(p: Tensor, course: Course, dice: Dice) -> Tensor:
    """As an estimator loses things: hands here and there or for a while, the other hand, the face.
    And with its jitter."""
    t = course.share.shape[1]
    for hand, often in ((HAND, 0.0), (OTHER, 0.35)):
        gone = dice.uniform(0, 1, t) < (dice.chance(0.25).float() * dice.uniform(0, 0.4))[:, None]
        start = dice.uniform(0, 1, 1) * course.rows[:, None]
        length = dice.uniform(0.05, 0.3, 1) * course.rows[:, None]
        burst = (course.row >= start) & (course.row < start + length)
        gone = gone | (burst & dice.chance(0.25)[:, None]) | dice.chance(often)[:, None]
        p[:, :, hand] = p[:, :, hand].masked_fill(gone[:, :, None, None], torch.nan)
    p[:, :, FACE] = p[:, :, FACE].masked_fill(dice.chance(0.06)[:, None, None, None], torch.nan)
    return p + dice.normal(1.0, t, p.shape[2], 2) * dice.uniform(0.001, 0.01, 1, 1, 1)
