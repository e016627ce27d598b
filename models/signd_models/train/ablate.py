"""What each idea is worth, one at a time, at a small fixed budget.

    python -m signd_models.train.ablate DATA OUT.json

Small networks, the labels of real clips alone (no teacher, nothing composed), bent a fixed number
of times; four folds of signers. Every line differs from `base` in one thing. What is compared is
small: a few points are noise, and what wins here need not win with more data.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from ..arguments import add_signd, add_split, argument_parser
from ..arrays import Floats, Nanoseconds
from ..clips import Clip, load
from ..features import GROUPS, WINDOW_ROWS, spans
from ..indices import LABELLED_SETS, read_split, vocabulary_of
from ..landmarks import BODY
from ..signd import Recording, RowFilter, Signd
from .augment import view
from .batching import padded
from .net import Net, Shape, shape_for
from .training import scale

EVERYTHING = (
    "hand hand_z other other_z lips arms face_distance tip_distance finger_angle other_angle "
    "arm_angle hand_v hand_a other_v other_a lips_v arms_v arms_a"
)
LENGTHS = ("hand", "other", "lips", "arms", "face_distance", "tip_distance")
"""Groups of base measured in shoulder widths."""
VIEWS, STEPS, BATCH, RATE = 8, 304, 64, 3e-3
CHANNELS = 96
FLAT_ROWS = 16
PAST_ROWS = 32


@dataclass
class Example:
    """Rows of one view of a clip, or of the clip itself."""

    rows: Floats
    unit: float
    """Shoulder width in image heights."""


@dataclass
class Sample:
    """A clip with its label and its views."""

    label: int
    fold: int
    scored: bool
    """In the figures: a clip of `gislr` mostly is the only one of its sign, and teaches alone."""
    views: list[Example]
    real: Example


class Flat(nn.Module):
    """The simplest network: rows flattened, two fully connected layers. A clip becomes 16 rows."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net
        shape = net.shape
        width = FLAT_ROWS * (shape.columns + len(shape.flags))
        self.hidden = nn.Linear(width, 512)
        self.out = nn.Linear(512, shape.labels)
        self.drop = nn.Dropout(0.3)

    def forward(self, rows: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        """Logits of a batch `[B,T,F]`, `valid [B,T]` 1 on rows that are there."""
        net, length = self.net, valid.sum(dim=1)
        at = (torch.linspace(0, 1, FLAT_ROWS)[None] * (length[:, None] - 1)).round().long()
        rows = rows.gather(1, at[..., None].expand(-1, -1, rows.shape[2]))
        known = torch.isfinite(rows)
        x = torch.where(known, (rows - net.mean) * net.scale, torch.zeros_like(rows)).clamp(-5, 5)
        x = torch.cat(
            [x @ net.relative, known.to(x.dtype).index_select(-1, net.flag_columns)], dim=-1
        )
        hidden = F.relu(self.hidden(self.drop(x.flatten(1))))
        return (self.out(self.drop(hidden)),)


class Attending(Net):
    """The causal network with attention over a bounded past after its convolutions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.attend = nn.MultiheadAttention(shape.channels, 4, dropout=0.1, batch_first=True)

    def pool(self, x: Tensor, mask: Tensor) -> Tensor:
        """As the network pools, what attention gathers added."""
        t = torch.arange(x.shape[1])
        ago = t[:, None] - t[None, :]
        attended, _ = self.attend(
            x, x, x, attn_mask=(ago < 0) | (ago >= PAST_ROWS), need_weights=False
        )
        return super().pool(x + attended, mask)


@dataclass
class Idea:
    """One line of the table."""

    name: str
    groups: str = GROUPS
    made: Callable[[Shape], nn.Module] = Net
    changed: Callable[[Example, dict[str, slice]], Floats] | None = None
    relative: bool = True
    members: tuple[str, ...] = field(default=())
    """An ensemble: the ideas whose probabilities are averaged."""


def without(*names: str) -> str:
    """The groups less these."""
    return " ".join(name for name in GROUPS.split() if name not in names)


def along(*names: str) -> str:
    """The groups and these."""
    chosen = {*GROUPS.split(), *names}
    return " ".join(name for name in EVERYTHING.split() if name in chosen)


def in_image_heights(example: Example, columns: dict[str, slice]) -> Floats:
    """Lengths in image heights."""
    rows = example.rows.copy()
    for name in LENGTHS:
        rows[:, columns[name]] *= example.unit
    return rows


def with_hand_only(example: Example, columns: dict[str, slice]) -> Floats:
    """Rows in which the dominant hand is seen."""
    seen = np.isfinite(example.rows[:, columns["hand"].start])
    return example.rows[seen] if seen.sum() >= 2 else example.rows


IDEAS = [
    Idea("base: causal 1D-CNN"),
    Idea("coordinates absolute, not relative to wrist and lips", relative=False),
    Idea("with z", along("hand_z", "other_z")),
    Idea("without lips", without("lips")),
    Idea("without the other hand", without("other", "other_angle")),
    Idea("without arms", without("arms", "arm_angle")),
    Idea("without distances", without("face_distance", "tip_distance")),
    Idea("without angles", without("finger_angle", "other_angle", "arm_angle")),
    Idea("coordinates only", "hand other lips arms"),
    Idea("distances and angles only", without("hand", "other", "lips", "arms")),
    Idea("with velocity", along("hand_v", "other_v", "lips_v", "arms_v")),
    Idea("with acceleration", along("hand_a", "other_a", "arms_a")),
    Idea("lengths in image heights, not shoulder widths", changed=in_image_heights),
    Idea("frames without the hand dropped", changed=with_hand_only),
    Idea("network: two layers on flattened rows", made=lambda shape: Flat(Net(shape))),
    Idea("network: CNN with attention over 32 rows", made=Attending),
    Idea(
        "ensemble of the three networks",
        members=(
            "base: causal 1D-CNN",
            "network: two layers on flattened rows",
            "network: CNN with attention over 32 rows",
        ),
    ),
]


def shoulder_width(landmarks: Floats, aspect: float) -> float:
    """Median over landmarks `[T,543,3]`, image heights."""
    left, right = (landmarks[:, BODY + i, :2] * [aspect, 1] for i in (11, 12))
    return float(np.nanmedian(np.linalg.norm(left - right, axis=1)))


def prepare(signd: Signd, data: Path, split: Path, labels: list[str]) -> list[Sample]:
    """The labelled clips and their views."""
    clips = load(signd, data, LABELLED_SETS, read_split(split))
    clips = [clip for clip in clips if clip.label in labels]
    recordings = signd.landmarks([Path(clip.path) for clip in clips])
    rng = np.random.default_rng(5)

    def example(
        rows_of: RowFilter, landmarks: Floats, times: Nanoseconds, width: int, height: int
    ) -> Example:
        rows = rows_of(landmarks, times, width, height)[-WINDOW_ROWS:]
        return Example(rows, shoulder_width(landmarks, width / height))

    def sample(rows_of: RowFilter, clip: Clip, recorded: Recording) -> Sample:
        views = [example(rows_of, *view(clip.points, clip.t, rng)) for _ in range(VIEWS)]
        size = round(720 * recorded.aspect), 720
        real = example(rows_of, recorded.landmarks, recorded.times, *size)
        scored = clip.source != "gislr"
        return Sample(labels.index(clip.label), clip.fold, scored, views, real)

    pairs = zip(clips, recordings, strict=True)
    with signd.row_filter(EVERYTHING) as rows_of:
        return [sample(rows_of, *pair) for pair in tqdm(pairs, total=len(clips), unit="clip")]


def taken(idea: Idea, example: Example) -> Floats:
    """The columns of an idea."""
    rows = idea.changed(example, spans(EVERYTHING)) if idea.changed else example.rows
    columns = spans(EVERYTHING)
    return np.concatenate([rows[:, columns[name]] for name in idea.groups.split()], axis=1)


def answers(idea: Idea, samples: list[Sample], fold: int, labels: int) -> Floats:
    """Trains without a fold; probabilities `[N,K]` of its clips."""
    torch.manual_seed(fold)
    rng = np.random.default_rng(fold)
    known = [(taken(idea, v), s.label) for s in samples if s.fold != fold for v in s.views]
    columns = spans(idea.groups)
    model = idea.made(shape_for(labels - 1, idea.groups, channels=CHANNELS))  # without *no sign*
    net = model.net if isinstance(model, Flat) else model
    assert isinstance(net, Net)
    picked = rng.integers(len(known), size=800)
    scale(net, np.concatenate([known[i][0] for i in picked]), columns if idea.relative else {})
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    weight = 1 / np.sqrt(np.bincount([label for _, label in known], minlength=labels).clip(1))
    often = np.array([weight[label] for _, label in known])
    for _ in range(STEPS // 8):
        chosen = rng.choice(len(known), size=8 * BATCH, p=often / often.sum())
        chosen = chosen[np.argsort([len(known[i][0]) for i in chosen])].reshape(8, BATCH)
        for some in rng.permutation(chosen):
            rows, valid = padded([known[i][0] for i in some])
            logits = model(rows, valid)[0]
            truth = torch.tensor([known[i][1] for i in some])
            loss = F.cross_entropy(logits, truth, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        tests = [taken(idea, s.real) for s in samples if s.fold == fold and s.scored]
        said = [model(*padded([rows]))[0].softmax(dim=1)[0].numpy() for rows in tests]
    return np.stack(said)


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    add_signd(parser)
    add_split(parser)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    labels = vocabulary_of(args.data)
    samples = prepare(args.signd, args.data, args.split, labels)
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    said: dict[str, list[Floats]] = {}
    for idea in tqdm(IDEAS, unit="idea"):
        kept = args.out.with_name(f"{args.out.stem}-{IDEAS.index(idea)}.npz")
        if idea.members:
            folds = [np.mean([said[m][k] for m in idea.members], axis=0) for k in range(4)]
        elif kept.exists():
            folds = list(np.load(kept).values())
        else:
            folds = [answers(idea, samples, fold, len(labels)) for fold in range(4)]
            np.savez(kept, *folds)
        said[idea.name] = folds
        right = []
        for fold, probabilities in enumerate(folds):
            truth = np.array([s.label for s in samples if s.fold == fold and s.scored])
            order = np.argsort(-probabilities, axis=1)
            right.append([(order[:, :k] == truth[:, None]).any(axis=1) for k in (1, 5)])
        top = [np.concatenate([r[k] for r in right]).mean() for k in (0, 1)]
        each = [float(r[0].mean()) for r in right]
        n = sum(len(r[0]) for r in right)
        found[idea.name] = {"n": n, "top1": float(top[0]), "top5": float(top[1]), "folds": each}
        args.out.write_text(json.dumps(found, indent=1))
        print(f"{idea.name:55} n {n}  top-1 {top[0]:.1%}  top-5 {top[1]:.1%}  folds {each}")


if __name__ == "__main__":
    main()
