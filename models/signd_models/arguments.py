"""Command-line arguments that several scripts have in common."""

import argparse
from pathlib import Path

from .places import BINARY, SPLIT
from .signd import Signd


def argument_parser(documentation: str | None, whole: bool = False) -> argparse.ArgumentParser:
    """A parser whose help is the first line of a module's documentation, or the whole of it."""
    text = documentation or ""
    return argparse.ArgumentParser(
        description=text if whole else text.partition("\n")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_signd(to: argparse.ArgumentParser) -> None:
    """`--signd FILE`: the daemon's binary."""
    to.add_argument("--signd", type=lambda text: Signd(Path(text)), default=Signd(BINARY))


def add_split(to: argparse.ArgumentParser) -> None:
    """`--split FILE`: which signer is in which fold."""
    to.add_argument("--split", type=Path, default=SPLIT, help="CSV file: set,signer,fold")


def add_peers(to: argparse.ArgumentParser) -> None:
    """`--peers DIR`: the teachers, without which labels alone teach."""
    to.add_argument("--peers", type=Path, help="folder of the teachers; none: labels alone teach")


def add_workers(to: argparse.ArgumentParser) -> None:
    """`--worker N --of M`: this process fills the shards N, N + M, N + 2 M and so on."""
    to.add_argument("--worker", type=int, default=0)
    to.add_argument("--of", type=int, default=1)
