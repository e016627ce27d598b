"""Fits the network to banks of clips.

    python -m signd_models.train.fit DATA OUT.pt BANK... --fold 0

One fold's signers are left out (`--fold -1`: nobody) and scored at the end. Stopped and started
again, it goes on from its last checkpoint. Steps are drawn from a seed, so the same bank gives the
same network on the same machine.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ..arguments import add_signd, add_split, argument_parser
from ..indices import read_split, vocabulary_of
from .checkpoint import read_net
from .dataset import FIRST_STAGE, SECOND_STAGE, BankDataset
from .net import shape_for
from .score import score
from .training import Schedule, fit


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("banks", type=Path, nargs="+")
    add_signd(parser)
    add_split(parser)
    parser.add_argument("--fold", type=int, default=-1)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--averaging", type=float, default=0.998, help="decay of the average of weights, a step"
    )
    parser.add_argument("--after", type=Path, help="network of the first stage to start from")
    parser.add_argument("--hidden", type=Path, help="labels held out, one a line")
    parser.add_argument("--sizes", type=json.loads, default={}, help="of the network, JSON")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # a second thread gains little and loses much on a busy machine
    labels = vocabulary_of(args.data)
    held = args.hidden.read_text().split("\n") if args.hidden else []
    hidden = frozenset(labels.index(label) for label in held if label)
    first = read_net(args.after) if args.after else None
    shares = SECOND_STAGE if first else FIRST_STAGE
    bank = BankDataset(args.banks, args.fold, len(labels), hidden, shares)
    start = time.monotonic()
    how = Schedule(args.steps, args.seed, args.averaging)
    net = fit(bank, shape_for(len(labels), **args.sizes), how, args.out, first)
    size = net.size()
    print(f"{size / 1e6:.2f} M parameters, {len(bank)} views, {time.monotonic() - start:.0f} s")
    print(json.dumps(score(net, args.signd, args.data, args.fold, read_split(args.split))))


if __name__ == "__main__":
    main()
