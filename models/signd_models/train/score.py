"""What a network answers to whole clips, and how often that is right."""

import numpy as np
import torch
from numpy.typing import NDArray

from ..arrays import Floats
from ..features import WINDOW_ROWS
from ..indices import LABELLED_SETS
from .clip_store import ClipStore, Kind
from .net import Net
from .views import TwoViews

BATCH = 64


@torch.no_grad()
def outputs(
    net: Net, store: ClipStore, clips: NDArray[np.int64], both_views: bool = True
) -> tuple[Floats, Floats]:
    """Logits `[N,K]` and embeddings `[N,E]` of clips. Of a clip that is longer than the window form
    sees, the last rows count."""
    was, device = net.training, store.points.device
    views = TwoViews(net.eval()).to(device)
    length = store.length.cpu().numpy()
    found: dict[int, tuple[Floats, Floats]] = {}
    order = clips[np.argsort(length[clips])]
    for at in range(0, len(order), BATCH):
        some = order[at : at + BATCH]
        seen = np.minimum(length[some], WINDOW_ROWS)
        rows = torch.full(
            (len(some), int(seen.max()), 2 * net.shape.points), torch.nan, device=device
        )
        valid = torch.zeros(rows.shape[:2], device=device)
        for k, i in enumerate(some):
            rows[k, : seen[k]] = store.clip(int(i))[-seen[k] :].flatten(1)
            valid[k, : seen[k]] = 1
        answer = views(rows, valid) if both_views else net.classified(net(rows, valid))
        logits, embedding = (part.cpu().numpy() for part in answer)
        found |= {int(i): (logits[k], embedding[k]) for k, i in enumerate(some)}
    net.train(was)
    return np.stack([found[int(i)][0] for i in clips]), np.stack([found[int(i)][1] for i in clips])


def scored(net: Net, store: ClipStore, fold: int) -> dict[str, list[float]]:
    """By set: number of signs, top-1 and top-5 (0 to 1) of the signers of a fold. Of all signers
    where the fold is -1. *No sign* takes no place of the five."""
    kind, label, of = (x.cpu().numpy() for x in (store.kind, store.label, store.fold))
    found = {}
    for name in LABELLED_SETS:
        mine = np.array([path.split("/")[0] == name for path in store.path]) & (kind == Kind.SIGN)
        clips = np.flatnonzero(mine & ((of == fold) | (fold < 0)))
        if len(clips) == 0:
            continue
        logits, _ = outputs(net, store, clips)
        truth = label[clips]
        first = logits.argmax(axis=1) == truth
        five = np.argsort(-logits[:, : store.signs], axis=1)[:, :5] == truth[:, None]
        found[name] = [len(clips), float(first.mean()), float(five.any(axis=1).mean())]
    return found


def report(scores: dict[str, list[float]]) -> str:
    """In a line."""
    return "  ".join(
        f"{name} {100 * a:.1f}/{100 * b:.1f} ({n:.0f})" for name, (n, a, b) in scores.items()
    )
