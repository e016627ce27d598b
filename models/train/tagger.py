"""The tagger: a small recurrent network that says after every row whether a sign is being made.

    python -m train.tagger LESSONS.msgpack... --into MODEL.onnx... [--without FOLD]

Lessons are what `signd eval --streams --rows FILE` writes: the rows of continuous streams and where
their signs are. Two answers a row, both causal: whether this row lies in a sign, and whether the one
`DELAY` rows before did, which is easier to tell and what segments are made of. The daemon runs it on
every row of every stream, so it is small and sees few columns: palms, three fingertips and arms, and
how they moved since the row before.
"""

import argparse
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgpack
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import trange

DELAY = 5
"""Rows, a sixth of a second at 30 a second: as good as six, better than four."""
HIDDEN = 48
CHUNK = 600
"""Rows of a training sequence, 20 s."""
POINTS = (0, 4, 5, 8, 12, 17)
"""Of a hand: wrist, knuckles of index and little finger, tips of thumb, index and middle finger."""
IDLE_WEIGHT = 3.0
"""Of streams without any sign, of which there are few."""

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """One stream: `x [T,C]`, `NaN` where missing, and whether each row lies in a sign, `y [T]`."""

    x: Rows
    y: Rows
    times: NDArray[np.float64]
    fold: int
    set: str
    fps: float
    disturbed: bool
    name: str
    signs: list[tuple[float, float]]


def columns(groups: dict[str, int], used: list[str]) -> list[int]:
    """Which columns of a model's rows the tagger sees."""
    first, at = 0, {}
    for group, width in groups.items():
        if group in used:
            at[group] = first
            first += width
    hands = [at[hand] + 2 * p + d for hand in ("hand", "other") for p in POINTS for d in (0, 1)]
    return hands + [at["arms"] + i for i in range(groups["arms"])]


def read(files: list[Path], chosen: list[int]) -> Iterator[Lesson]:
    """The lessons of some files."""
    for file in files:
        with file.open("rb") as stream:
            for m in msgpack.Unpacker(stream, max_buffer_size=1 << 31):
                rows = np.frombuffer(m["data"], "<f4").reshape(-1, m["columns"])[:, chosen]
                times = np.array(m["times"])
                y = np.zeros(len(rows), np.float32)
                for a, b in m["signs"]:
                    y[(times >= a - 1e-3) & (times <= b + 1e-3)] = 1.0
                signs = [(a, b) for a, b in m["signs"]]
                yield Lesson(
                    rows.copy(), y, times, m["fold"], m["set"], m["fps"], m["disturbed"],
                    m["name"], signs,
                )  # fmt: skip


class Tagger(nn.Module):
    """Rows `[B,T,C]` to two logits a row: in a sign now, and `DELAY` rows ago."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.gru = nn.GRU(3 * width, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 2)

    def look(self, x: Tensor) -> Tensor:
        """What the network is given of each row: places, moves since the row before, and what of
        both is known."""
        known = torch.isfinite(x)
        here = torch.where(known, (x - self.mean) * self.scale, 0.0).clamp(-4, 4)
        before = F.pad(x, (0, 0, 1, 0), value=float("nan"))[:, :-1]
        move = (x - before) * 10.0
        move = torch.where(torch.isfinite(move), move, 0.0).clamp(-4, 4)
        return torch.cat([here, move, known.to(x.dtype)], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.gru(self.look(x))[0])
        return out


def batches(
    lessons: list[Lesson], size: int, random: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Chunks from everywhere, an epoch's worth: `x [B,T,C]`, `y [B,T,2]`, weight `[B,T,1]`."""
    chunks = []
    for i, lesson in enumerate(lessons):
        start = int(random.integers(0, CHUNK)) - CHUNK
        chunks += [(i, at) for at in range(start, len(lesson.x), CHUNK)]
    random.shuffle(chunks)
    width = lessons[0].x.shape[1]
    for k in range(0, len(chunks), size):
        part = chunks[k : k + size]
        x = np.full((len(part), CHUNK, width), np.nan, np.float32)
        y = np.zeros((len(part), CHUNK, 2), np.float32)
        w = np.zeros((len(part), CHUNK, 1), np.float32)
        for j, (i, at) in enumerate(part):
            lesson = lessons[i]
            a, b = max(at, 0), min(at + CHUNK, len(lesson.x))
            n = b - a
            x[j, :n], y[j, :n, 0] = lesson.x[a:b], lesson.y[a:b]
            late = max(a - DELAY, 0)
            then = lesson.y[late : max(b - DELAY, 0)]
            y[j, n - len(then) : n, 1] = then
            w[j, :n] = 1.0 if lesson.signs else IDLE_WEIGHT
            w[j, :DELAY] *= float(a == 0)  # what came before the chunk it cannot know
        yield torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(w)


def fit(lessons: list[Lesson], epochs: int, seed: int) -> Tagger:
    """A tagger taught these lessons."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    tagger = Tagger(lessons[0].x.shape[1])
    everything = np.concatenate([lesson.x for lesson in lessons])
    tagger.mean.copy_(torch.from_numpy(np.nanmean(everything, axis=0)))
    tagger.scale.copy_(torch.from_numpy(1.0 / np.nanstd(everything, axis=0).clip(0.05)))
    size = 48
    steps = epochs * (sum(len(lesson.x) // CHUNK + 1 for lesson in lessons) // size + 1)
    adam = torch.optim.AdamW(tagger.parameters(), lr=4e-3, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 4e-3, total_steps=steps + epochs)
    bar = trange(epochs, unit="epoch")
    for _ in bar:
        losses = []
        for x, y, w in batches(lessons, size, random):
            # Every signer stands and is built a little differently.
            b = len(x)
            x = x * (1 + 0.08 * torch.randn(b, 1, 1)) + 0.06 * torch.randn(b, 1, 1)
            loss = F.binary_cross_entropy_with_logits(tagger(x), y, weight=w)
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
            adam.step()
            if rate.last_epoch < rate.total_steps - 1:
                rate.step()
            losses.append(float(loss.detach()))
        bar.set_postfix_str(f"loss {np.mean(losses):.4f}")
    return tagger


def usual(tagger: Tagger, lessons: list[Lesson]) -> float:
    """Median over true signs of the mean probability of their rows: what the daemon holds the same mean
    of a segment against."""
    means = []
    with torch.no_grad():
        for lesson in lessons:
            if not lesson.signs or lesson.disturbed:
                continue
            late = torch.sigmoid(tagger(torch.from_numpy(lesson.x)[None]))[0, DELAY:, 1].numpy()
            times = lesson.times[: len(late)]
            for a, b in lesson.signs:
                within = late[(times >= a) & (times <= b)]
                means += [float(within.mean())] if len(within) else []
    return float(np.median(means))


def written(tagger: Tagger, chosen: list[int], usual: float) -> str:
    """As the daemon reads it from the metadata of a model: `src/segment/tagger.rs`."""
    gru, head = tagger.gru, tagger.head
    parts = [
        tagger.mean,
        tagger.scale,
        gru.weight_ih_l0.t(),
        gru.weight_hh_l0.t(),
        gru.bias_ih_l0,
        gru.bias_hh_l0,
        head.weight,
        head.bias,
    ]
    flat = np.concatenate([part.detach().numpy().ravel() for part in parts]).astype("<f4")
    weights = base64.b64encode(flat.tobytes()).decode()
    return json.dumps(
        {
            "columns": chosen,
            "hidden": HIDDEN,
            "delay": DELAY,
            "usual": round(usual, 4),
            "weights": weights,
        }
    )


def bring(model: Path, text: str, threshold: float) -> None:
    """Has a model bring this tagger, in place of any that it brought, and decide by this threshold."""
    graph = onnx.load(model)
    kept = {prop.key: prop.value for prop in graph.metadata_props}
    onnx.helper.set_model_props(
        graph, {**kept, "signd.tagger": text, "signd.threshold": str(threshold)}
    )
    onnx.save(graph, model)


def groups_of(model: Path) -> list[str]:
    """Groups of columns that a model's rows have."""
    props = onnx.load(model, load_external_data=False).metadata_props
    return next(prop.value for prop in props if prop.key == "signd.groups").split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, nargs="+", required=True, help="models that bring it")
    parser.add_argument(
        "--without", type=int, default=-1, help="the fold that is not to be learned"
    )
    parser.add_argument("--threshold", type=float, default=0.4, help="of decisions in streams")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    widths = json.loads((Path(__file__).parent / "columns.json").read_text())
    chosen = columns(widths, groups_of(args.into[0]))
    taught = [
        lesson
        for lesson in read(args.lessons, chosen)
        if lesson.fold != args.without and lesson.set != "idle eval"
    ]
    tagger = fit(taught, args.epochs, args.seed)
    text = written(tagger, chosen, usual(tagger, taught))
    for model in args.into:
        bring(model, text, args.threshold)


if __name__ == "__main__":
    main()
