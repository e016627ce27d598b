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
