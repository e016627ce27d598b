"""Fits the network to clips, beginning with the public one's weights.

    python -m signd_models.train.fit CLIPS... --peer PEER.onnx --out NET.pt --fold 0

One fold's signers are left out (`--fold -1`: none) and scored at the end. Stopped and started
again, it goes on from its last checkpoint. A GPU is used where there is one. Without the public
network labels alone teach.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ..arguments import argument_parser
from .augment import augmented
from .checkpoint import read_net, save_net
from .clip_store import ClipStore
from .draw import Draw
from .loss import loss_of
from .net import Net, Shape
from .peer import Peer, read_peer, warm_start
from .score import report, scored
from .teachers import taught_by
from .training import Training

RATE = 5e-4
EVERY = 50
"""Steps from one checkpoint to the next."""


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted."""

    fold: int = -1
    steps: int = 1000
    batch: int = 32
    rate: float = RATE
    seed: int = 1
    causal: bool = True
    words: bool = True
    """Whether signs that are not in the vocabulary are shown."""
    sizes: dict[str, Any] = field(default_factory=dict)
    """Of a network without the public one's weights."""


def fit(
    store: ClipStore,
    out: Path,
    how: Recipe,
    peer: Peer | None = None,
    elders: Sequence[Net] = (),
    start: Net | None = None,
) -> Net:
    """Trains, anew or from where another training came to, and writes `out`. What is returned is
    the running average of the weights."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(how.seed)
    rng = np.random.default_rng([how.seed, how.fold + 1])
    draw = torch.Generator(device).manual_seed(how.seed)
    net = Net(Shape(store.signs + 1, causal=how.causal, **how.sizes))
    if start is not None:
        net.load_state_dict(start.state_dict())
    elif peer is not None:
        warm_start(net, peer)
    store, net = store.to(device), net.to(device).train()
    teachers = [elder.to(device) for elder in elders]
    peer = peer.to(device) if peer is not None else None
    training = Training(net, how.steps, how.rate)
    checkpoint = out.with_suffix(".checkpoint")
    if checkpoint.exists():
        training.resume(checkpoint, rng, draw)
    drawn = Draw(store, how.fold, how.words, peer is not None, rng)
    signs, free = drawn.parts(how.batch)
    bar = tqdm(total=how.steps, initial=training.done, unit="step", mininterval=20)
    while training.done < how.steps:
        plan = drawn.plan(how.batch, device)
        points, valid, mirrored = augmented(store, plan, draw)
        rows = points.flatten(2)
        with torch.autocast(device, torch.bfloat16):
            taught = None if peer is None else taught_by(peer, teachers, rows, valid, mirrored)
            logits, _ = net.classified(net(rows, valid))
        training.step(loss_of(logits.float(), store.label[plan.clip], taught, signs, free))
        bar.update()
        if training.done % EVERY == 0:
            bar.set_postfix(loss=f"{np.mean(training.losses[-EVERY:]):.3f}", refresh=False)
            training.save(checkpoint, rng, draw)
    save_net(training.average.cpu(), training.losses, out)
    checkpoint.unlink(missing_ok=True)
    return read_net(out)


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--peer", type=Path, help="the public network. Without it labels alone teach"
    )
    parser.add_argument(
        "--elders", type=Path, nargs="*", default=[], help="networks that teach too"
    )
    parser.add_argument("--start", type=Path, help="begin with this network's weights")
    parser.add_argument("--whole", action="store_true", help="the form that sees the whole clip")
    parser.add_argument(
        "--without-words", action="store_true", help="show no sign that is not in the vocabulary"
    )
    parser.add_argument("--fold", type=int, default=-1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=json.loads, default={}, help="of the network, JSON")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # a second one gains little
    if args.elders and not args.peer:
        parser.error("--elders asks for --peer")
    store = ClipStore.read(*args.clips)
    how = Recipe(
        args.fold, args.steps, args.batch, args.rate, args.seed, not args.whole,
        not args.without_words, args.sizes,
    )  # fmt: skip
    begun = time.monotonic()
    net = fit(
        store,
        args.out,
        how,
        read_peer(args.peer) if args.peer else None,
        [read_net(path) for path in args.elders],
        read_net(args.start) if args.start else None,
    )
    print(f"{net.size() / 1e6:.2f} M parameters, {time.monotonic() - begun:.0f} s")
    print(args.out.stem, report(scored(net, store, args.fold)))


if __name__ == "__main__":
    main()
