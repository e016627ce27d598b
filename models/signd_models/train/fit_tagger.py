"""Fits the tagger to lessons and puts it into models.

    python -m signd_models.train.fit_tagger LESSONS.msgpack... --into MODEL.onnx... [--without FOLD]

Lessons are what `signd eval --streams --rows FILE` writes: the rows of continuous streams and where
their signs are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import trange

from ..arguments import argument_parser
from ..arrays import Random
from ..features import widths
from .lessons import Lesson, columns, read
from .tagger import DELAY, Tagger, attach, groups_of, written

CHUNK = 600
"""Rows of a training sequence, 20 s."""
BATCH = 48
"""Sequences of a step."""
RATE = 4e-3
IDLE_WEIGHT = 3.0
"""Of streams without any sign, of which there are few."""


def batches(
    lessons: list[Lesson], size: int, rng: Random
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Chunks from everywhere, an epoch's worth: `x [B,T,C]`, `y [B,T,2]`, weight `[B,T,1]`."""
    chunks = []
    for i, lesson in enumerate(lessons):
        start = int(rng.integers(0, CHUNK)) - CHUNK
        chunks += [(i, at) for at in range(start, len(lesson.x), CHUNK)]
    rng.shuffle(chunks)
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


def fit(lessons: list[Lesson], epochs: int, seed: int, size: int = BATCH) -> Tagger:
    """A tagger taught these lessons so many times over; `size`: sequences of a step."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tagger = Tagger(lessons[0].x.shape[1])
    everything = np.concatenate([lesson.x for lesson in lessons])
    tagger.mean.copy_(torch.from_numpy(np.nanmean(everything, axis=0)))
    tagger.scale.copy_(torch.from_numpy(1.0 / np.nanstd(everything, axis=0).clip(0.05)))
    steps = epochs * (sum(len(lesson.x) // CHUNK + 1 for lesson in lessons) // size + 1)
    adam = torch.optim.AdamW(tagger.parameters(), lr=RATE, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, RATE, total_steps=steps + epochs)
    bar = trange(epochs, unit="epoch")
    for _ in bar:
        losses = []
        for x, y, w in batches(lessons, size, rng):
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
    """Median over true signs of the mean probability of their rows. The daemon holds the same mean
    of a segment against it."""
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


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__, whole=True)
    parser.add_argument("lessons", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, nargs="+", required=True, help="models that bring it")
    parser.add_argument(
        "--without", type=int, default=-1, help="the fold that is not to be learned"
    )
    parser.add_argument("--threshold", type=float, default=0.4, help="of decisions in streams")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=BATCH, help="sequences of a step")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    chosen = columns(widths(), groups_of(args.into[0]))
    taught = [
        lesson
        for lesson in read(args.lessons, chosen)
        if lesson.fold != args.without and lesson.set != "idle eval"
    ]
    tagger = fit(taught, args.epochs, args.seed, args.batch)
    text = written(tagger, chosen, usual(tagger, taught))
    for model in args.into:
        attach(model, text, args.threshold)


if __name__ == "__main__":
    main()
