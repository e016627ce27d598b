"""Which form of a network tells signs best: causal or the whole clip at once, one view or both.

    python -m signd_models.train.forms CLIPS NETS PEER.onnx OUT.json

Each clip is answered by the network that has not met its signer. Only the signs count, not *no
sign*. Beside them stands the public network. Clips of `wlasl` and `webcam` are also told apart by
how many clips of the sign were in training.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..arguments import argument_parser
from ..arrays import Floats
from ..features import OTHER
from ..indices import FOLDS, LABELLED_SETS
from .calibration import softmax
from .checkpoint import read_net
from .clip_store import ClipStore, Kind
from .net import Net
from .peer import Peer, read_peer
from .score import outputs

FORMS = {
    "causal": ["causal"],
    "causal, dominant hand alone": ["causal alone"],
    "causal, both views": ["causal", "causal alone"],
    "whole": ["whole"],
    "whole, both views": ["whole", "whole alone"],
    "both forms, both views": ["causal", "causal alone", "whole", "whole alone"],
    "public": ["public"],
    "public, both views": ["public", "public alone"],
}
SEEN = {"none": 0, "1 to 2": 2, "3 to 4": 4, "5 to 9": 9, "10 and more": 10**9}


def whole_clip(net: Net) -> Net:
    """The same weights in the form that sees the whole clip."""
    other = Net(replace(net.shape, causal=False))
    other.load_state_dict(net.state_dict())
    return other.eval()


def log_probabilities(
    net: Net, peer: Peer, stores: dict[str, ClipStore], clips: NDArray[np.int64]
) -> dict[str, Floats]:
    """What each form says of clips in each view, of the signs alone."""
    found = {}
    for form, asked in (("causal", net), ("whole", whole_clip(net)), ("public", peer)):
        for view, store in stores.items():
            logits, _ = outputs(asked, store, clips, both_views=False)
            found[form + view] = np.log(softmax(logits[:, : store.signs]) + 1e-6)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("peer", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    store, peer = ClipStore.read(args.clips), read_peer(args.peer)
    alone = replace(store, points=store.points.clone())
    alone.points[:, OTHER] = torch.nan
    label, fold = store.label.numpy(), store.fold.numpy()
    sign = store.kind.numpy() == Kind.SIGN
    of_set = np.array([path.partition("/")[0] for path in store.path])
    right: dict[str, dict[str, list[NDArray[np.bool_]]]] = {form: {} for form in FORMS}
    for k in range(FOLDS):
        clips = np.flatnonzero(sign & (fold == k))
        seen = np.bincount(label[sign & (fold != k)], minlength=store.signs)[label[clips]]
        said = log_probabilities(
            read_net(args.nets / f"fold{k}.pt"), peer, {"": store, " alone": alone}, clips
        )
        for form, parts in FORMS.items():
            order = np.argsort(-np.sum([said[part] for part in parts], axis=0), axis=1)
            hits = order[:, :5] == label[clips][:, None]
            told = np.stack([hits[:, 0], hits.any(axis=1)], axis=1)
            groups = {name: of_set[clips] == name for name in LABELLED_SETS}
            fewest = 0
            for name, most in SEEN.items():
                groups[name] = (of_set[clips] != "gislr") & (seen >= fewest) & (seen <= most)
                fewest = most + 1
            for name, mine in groups.items():
                right[form].setdefault(name, []).append(told[mine])
    table = {}
    for form, by_group in right.items():
        joined = {name: np.concatenate(parts) for name, parts in by_group.items()}
        table[form] = {
            name: [len(told), *map(float, told.mean(axis=0))] for name, told in joined.items()
        }
        figures = "  ".join(
            f"{name} {100 * a:.1f}/{100 * b:.1f}" for name, (_, a, b) in table[form].items()
        )
        print(f"{form:28} {figures}")
    args.out.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
