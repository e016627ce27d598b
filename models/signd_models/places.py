"""Where the files of the project lie that the scripts use."""

from pathlib import Path

MODELS = Path(__file__).resolve().parents[1]
"""The folder `models/`."""
BINARY = MODELS.parent / "target/release/signd"
"""What `make setup` builds."""
SIGNER = BINARY.with_name("animated_signer")
"""The program that makes synthetic recordings, built beside it."""
SPLIT = MODELS / "split.csv"
