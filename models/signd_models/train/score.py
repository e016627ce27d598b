"""What a fitted network answers to whole clips, and how often that is right."""

from pathlib import Path

import numpy as np
import torch

from ..arrays import Floats
from ..features import WINDOW_ROWS
from ..indices import LABELLED_SETS, Split, set_index, vocabulary_of
from ..signd import Signd
from .net import Net


@torch.no_grad()
def outputs(net: Net, clips: list[Floats]) -> tuple[Floats, Floats]:
    """Logits `[N,K]` and embeddings `[N,E]` of whole clips `[T,F]`."""
    logits, embeddings = [], []
    for rows in clips:
        one = torch.from_numpy(rows[-WINDOW_ROWS:].copy())[None]
        a, b = net.window(one)
        logits.append(a[0].numpy())
        embeddings.append(b[0].numpy())
    return np.stack(logits), np.stack(embeddings)


def score(net: Net, signd: Signd, data: Path, fold: int, split: Split) -> dict[str, list[float]]:
    """By set: number of clips, top-1 and top-5 (0 to 1) of the signers of a fold; of all signers
    where the fold is -1. Sets without such a clip are left out."""
    labels = vocabulary_of(data)
    found = {}
    for name in LABELLED_SETS:
        lines = [
            line
            for line in set_index(data, name)
            if line["label"] in labels and (fold < 0 or split[name, line["signer"]] == fold)
        ]
        if not lines:
            continue
        truth = np.array([labels.index(line["label"]) for line in lines])
        logits, _ = outputs(net, signd.rows([Path(line["path"]) for line in lines]))
        order = np.argsort(-logits, axis=1)
        top = [(order[:, :k] == truth[:, None]).any(axis=1).mean() for k in (1, 5)]
        found[name] = [len(lines), *(round(float(share), 4) for share in top)]
    return found
