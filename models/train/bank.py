"""Fills the bank: bent and composed clips, as rows of the daemon's own features, with what the
teachers say of each.

    python -m models.train.bank DATA PEERS BANK --shards 64 --worker 0 --of 2

Every shard is made from its number alone and the shards its worker made before, so filling goes on
where it was stopped. Composed clips evolve: for every sign and every fold left out the worker keeps
the genes that the teacher is surest of and mutates them, so that signs without a labelled clip are
met as often as others.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgpack
import numpy as np
from tqdm import tqdm

from .clips import AT_RIGHT, Clip, Floats, load, read_split, read_vocabulary
from .synth import (
    FPS,
    Genes,
    Pool,
    Random,
    bent,
    compose,
    extended,
    has_hand,
    lead,
    mutated,
    random_genes,
    view,
)
from .teachers import POOLED, Teacher

GROUPS = "hand other lips arms face_distance tip_distance finger_angle other_angle arm_angle"
RATE_HZ = 30
VOCABULARY = 250
NOTHING = np.empty((0, 0, 3), np.float32)
LABELLED, BLEND, COMPOSED, NO = range(4)
"""Kinds of clip."""
PER_SHARD = {LABELLED: 1000, BLEND: 400, COMPOSED: 1800, NO: 800}
VIEWS = {LABELLED: 1, BLEND: 1, COMPOSED: 2, NO: 1}
KEPT_GENES = 12
GIBBERISH = 0.15
"""A composed clip of which the teacher is less sure than this means nothing to it."""


@dataclass
class Base:
    """A clip before it is bent, and what it is."""

    points: Floats
    t: np.ndarray
    kind: int
    label: int
    """Number of the label; the vocabulary's size for *no sign*; -1 unknown."""
    folds: int
    said: Floats | None = None
    pooled: Floats | None = None
    genes: Genes | None = None


class Filter:
    """`signd features -`: landmarks in, rows `[T,F]` out."""

    def __init__(self, signd: Path, groups: str = GROUPS) -> None:
        command = [str(signd), "features", "--groups", groups, "--rate", str(RATE_HZ), "-"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers = msgpack.Unpacker(max_buffer_size=1 << 30)

    def __call__(self, points: Floats, t: np.ndarray, width: int, height: int) -> Floats:
        clip = {"t": t.tobytes(), "width": width, "height": height, "landmarks": points.tobytes()}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(msgpack.packb(clip))
        self.process.stdin.flush()
        while (answer := next(self.answers, None)) is None:
            # As many bytes as there are: a buffered read would wait for more than one answer.
            self.answers.feed(os.read(self.process.stdout.fileno(), 1 << 20))
        rows: Floats = np.frombuffer(answer["data"], "<f4").reshape(-1, answer["columns"])
        return rows


def even(frames: int) -> np.ndarray:
    return np.arange(frames) / FPS


class Maker:
    """Makes the clips of one worker, one shard after the other."""

    def __init__(self, clips: list[Clip], labels: list[str], teacher: Teacher) -> None:
        self.labels, self.teacher = labels, teacher
        number = {label: i for i, label in enumerate(labels)}
        self.pool = Pool(clips)
        self.number = [number.get(clip.label, -1) for clip in clips]
        self.known = [i for i, n in enumerate(self.number) if n >= 0]
        self.idle = [i for i, clip in enumerate(clips) if clip.source == "idle"]
        self.other_words = [
            i for i, clip in enumerate(clips) if self.number[i] < 0 and clip.source != "idle"
        ]
        self.siblings: dict[int, list[int]] = {}
        for i in self.known:
            if has_hand(clips[i]):
                self.siblings.setdefault(self.number[i], []).append(i)
        self.blendable = [group for group in self.siblings.values() if len(group) > 1]
        self.best: dict[tuple[int, int], list[tuple[float, Genes]]] = {}
        self.cache: dict[int, tuple[Floats, Floats]] = {}

    def shard(self, rng: Random) -> Iterator[Base]:
        """The clips of a shard."""
        for _ in range(PER_SHARD[LABELLED]):
            yield self.labelled(rng)
        for _ in range(PER_SHARD[BLEND]):
            yield self.blend(rng)
        for _ in range(PER_SHARD[COMPOSED]):
            yield self.composed(rng)
        for _ in range(PER_SHARD[NO]):
            yield self.no_sign(rng)

    def folds(self, *numbers: int) -> int:
        found = {int(self.pool.fold[i]) for i in numbers}
        return sum(1 << fold for fold in found if fold >= 0)

    def labelled(self, rng: Random) -> Base:
        """A recording with its label."""
        i = self.known[rng.integers(len(self.known))]
        clip = self.pool.clips[i]
        said, pooled = self.opinion(i)
        label = self.number[i]
        return Base(clip.points, clip.t, LABELLED, label, self.folds(i), said, pooled)

    def opinion(self, i: int) -> tuple[Floats, Floats]:
        """The teachers' mean answer to five mildly bent versions of a recording."""
        if i not in self.cache:
            rng = np.random.default_rng([7, i])
            points = self.pool.clips[i].points
            said = [self.teacher(points, True)]
            said += [self.teacher(bent(points, rng, 0.5), True) for _ in range(4)]
            self.cache[i] = (np.mean([a for a, _ in said], 0), np.mean([b for _, b in said], 0))
        return self.cache[i]

    def blend(self, rng: Random) -> Base:
        """Parts of two or three recordings of one sign."""
        group = self.blendable[rng.integers(len(self.blendable))]
        body, hand, lips = (group[rng.integers(len(group))] for _ in range(3))
        a, b = (0.0, 0.0), (0.0, 1.0)
        seconds = self.pool.clips[body].seconds * float(np.exp(rng.normal(0, 0.1)))
        genes = Genes(body, hand, lips, "body", b, b, seconds, a, 1.0, 0.0, 0.0, 1.0)
        points = compose(self.pool, genes)
        said, pooled = self.teacher(points, False)
        label, folds = self.number[body], self.pool.folds(genes)
        return Base(points, even(len(points)), BLEND, label, folds, said, pooled)

    def composed(self, rng: Random) -> Base:
        """A clip of parts, new or a mutation of one that the teacher knows well."""
        without, sign = int(rng.integers(4)), int(rng.integers(len(self.labels)))
        ancestors = self.best.get((without, sign), [])
        if not ancestors or rng.random() < 0.2:
            genes = random_genes(self.pool, rng, without)
        else:
            _, genes = ancestors[rng.integers(len(ancestors))]
            genes = mutated(genes, self.pool, rng, without)
        points = compose(self.pool, genes)
        said, pooled = self.teacher(points, False)
        self.remember(genes, said)
        folds, t = self.pool.folds(genes), even(len(points))
        label = len(self.labels) if np.exp(said.max()) < GIBBERISH else -1
        return Base(points, t, COMPOSED, label, folds, said, pooled, genes)

    def remember(self, genes: Genes, said: Floats) -> None:
        folds = self.pool.folds(genes)
        for sign in np.argsort(-said)[:4]:
            for without in range(4):
                if not folds >> without & 1:
                    kept = self.best.setdefault((without, int(sign)), [])
                    kept.append((float(said[sign]), genes))
                    kept.sort(key=lambda pair: -pair[0])
                    del kept[KEPT_GENES:]

    def no_sign(self, rng: Random) -> Base:
        """What is no sign of the vocabulary: no sign at all, no whole one, or another one."""
        kind = rng.choice(
            ["idle", "word", "half", "reversed", "spliced", "rest", "between"],
            p=[0.3, 0.2, 0.15, 0.08, 0.12, 0.07, 0.08],
        )
        none = len(self.labels)
        while True:
            i, j = (self.known[n] for n in rng.integers(len(self.known), size=2))
            first, second = self.pool.clips[i], self.pool.clips[j]
            folds = self.folds(i)
            if kind == "idle":
                clip = self.pool.clips[self.idle[rng.integers(len(self.idle))]]
                length = rng.uniform(0.3, min(4.0, clip.seconds))
                start = rng.uniform(0, clip.seconds - length)
                kept = (clip.t >= start) & (clip.t <= start + length)
                if kept.sum() < 4:
                    continue
                return Base(clip.points[kept], clip.t[kept], NO, none, 0)
            if kind == "word":
                i = self.other_words[rng.integers(len(self.other_words))]
                clip = self.pool.clips[i]
                return Base(clip.points, clip.t, NO, none, self.folds(i))
            if kind == "rest":
                points = lead(first.points, int(rng.integers(6, 40)), rng)
                return Base(points, even(len(points)), NO, none, folds)
            a, b = first.points, second.points
            if len(a) < 8 or len(b) < 8:
                continue
            if kind == "half":
                cut = int(len(a) * rng.uniform(0.25, 0.5))
                points, t = (
                    (a[:cut], first.t[:cut]) if rng.random() < 0.6 else (a[-cut:], first.t[-cut:])
                )
            elif kind == "reversed":
                points, t = a[::-1], first.t
            elif kind == "spliced":
                points = np.concatenate([a[: len(a) // 2], b[len(b) // 2 :]])
                t, folds = even(len(points)), self.folds(i, j)
            else:  # from the end of one sign to the beginning of another
                middle = lead(b, 6, rng)
                points = np.concatenate(
                    [a[-max(3, len(a) // 5) :], middle, b[: max(3, len(b) // 5)]]
                )
                t, folds = even(len(points)), self.folds(i, j)
            if len(points) < 4 or not np.isfinite(points[:, AT_RIGHT.start, 0]).any():
                continue
            said, _ = self.teacher(points, False)
            # What the teacher still understands is a sign after all.
            if np.exp(said[[self.number[i], self.number[j]]]).max() < 0.2:
                return Base(points, t, NO, none, folds)


class Shard:
    """A part of a bank while it is being filled: rows of views, and what each clip is."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self.view_of: list[int] = []
        self.bases: list[Base] = []

    def add(self, base: Base, views: list[Floats]) -> None:
        for rows in views:
            self.rows.append(np.clip(rows, -6e4, 6e4).astype(np.float16))
            self.view_of.append(len(self.bases))
        self.bases.append(replace(base, points=NOTHING))

    def write(self, out: Path) -> None:
        def opinions(said: list[Floats | None], width: int) -> Floats:
            return np.array([np.full(width, np.nan) if x is None else x for x in said], np.float16)

        bases = self.bases
        bred = [i for i, b in enumerate(bases) if b.genes and b.said is not None and sure(b.said)]
        np.save(out.with_suffix(".npy"), np.concatenate(self.rows))  # apart: to be mapped, not read
        part = out.with_suffix(".part.npz")
        np.savez(
            part,
            ends=np.cumsum([len(rows) for rows in self.rows]),
            view_of=np.array(self.view_of, np.int32),
            label=np.array([b.label for b in bases], np.int16),
            kind=np.array([b.kind for b in bases], np.int8),
            folds=np.array([b.folds for b in bases], np.int8),
            said=opinions([b.said for b in bases], VOCABULARY),
            pooled=opinions([b.pooled for b in bases], POOLED),
            bred=np.array(bred, np.int32),
            genes=np.array(json.dumps([genes.plain() for i in bred if (genes := bases[i].genes)])),
        )
        part.rename(out)


def sure(said: Floats) -> bool:
    """Whether a composed clip means enough to the teacher to be bred from."""
    return bool(np.exp(said.max()) > 0.3)


def fill(maker: Maker, rows_of: Filter, rng: Random, out: Path) -> None:
    """Makes one shard."""
    shard = Shard()
    for base in maker.shard(rng):
        views = []
        for _ in range(VIEWS[base.kind]):
            points, t = base.points, base.t
            if base.kind in (BLEND, COMPOSED):
                points = extended(points, rng)
                t = even(len(points))
            views.append(rows_of(*view(points, t, rng)))
        shard.add(base, views)
    shard.write(out)


def recall(maker: Maker, shard: Path) -> None:
    """Learns again what an earlier shard found out about genes."""
    with np.load(shard) as stored:
        genes = json.loads(str(stored["genes"]))
        said = stored["said"][stored["bred"]].astype(np.float32)
    for plain, what in zip(genes, said, strict=True):
        maker.remember(Genes.of(plain), what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("peers", type=Path)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    asked = parser.parse_args()
    labels = read_vocabulary(asked.data / "gislr/sign_to_prediction_index_map.json")
    split = read_split(asked.split)
    clips = load(asked.signd, asked.data, ["gislr", "wlasl", "webcam", "idle"], split)
    teacher = Teacher.of(asked.peers)
    maker, rows_of = Maker(clips, labels, teacher), Filter(asked.signd)
    asked.bank.mkdir(parents=True, exist_ok=True)
    for n in tqdm(range(asked.worker, asked.shards, asked.of), unit="shard"):
        out = asked.bank / f"{n:04}.npz"
        if out.exists():
            recall(maker, out)
        else:
            fill(maker, rows_of, np.random.default_rng([1, n]), out)


if __name__ == "__main__":
    main()
