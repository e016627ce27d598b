"""Fits the network to a bank of clips.

    python -m models.train.fit DATA OUT BANK... --fold 0

One fold's signers are left out (`--fold -1`: nobody) and scored at the end. Stopped and started
again, it goes on from its last checkpoint. Steps are drawn from a seed, so the same bank gives the
same network on the same machine.
"""

import argparse
import json
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgpack
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from .bank import BLEND, COMPOSED, GROUPS, LABELLED, NO, RATE_HZ
from .clips import Floats, read_index, read_split, read_vocabulary
from .net import Net, Shape, relations

MOST_ROWS = 128
SHARES = {LABELLED: 0.34, BLEND: 0.08, COMPOSED: 0.43, NO: 0.15}
"""How often each kind of clip is drawn."""
SHARES_AFTER = {LABELLED: 0.32, BLEND: 0.08, COMPOSED: 0.5, NO: 0.1}
"""The same in the second stage, which starts from a network of the first."""
TRUST = 0.3
"""Weight of the teacher's opinion of a clip whose label is known."""
SMOOTHING = 0.1
BATCH = 96
DROPPED = {"lips": 0.2, "other": 0.1, "arms": 0.06, "face_distance": 0.06}
"""How often a group of columns is hidden from a whole clip."""


def spans(groups: str = GROUPS) -> dict[str, slice]:
    """Columns of each group; their number is what `signd features --columns` says."""
    widths = json.loads(Path(__file__).with_name("columns.json").read_text())
    found, start = {}, 0
    for name in groups.split():
        found[name] = slice(start, start + widths[name])
        start += widths[name]
    return found


class Bank:
    """The clips of banks in which no signer of one fold had a part."""

    def __init__(
        self,
        paths: list[Path],
        fold: int,
        labels: int,
        hidden: frozenset[int] = frozenset(),
        shares: dict[int, float] = SHARES,
    ) -> None:
        self.shares = shares
        self.rows = []
        shard_of, start_of, length, view_of = [], [], [], []
        tables: dict[str, list[np.ndarray]] = {
            k: [] for k in ("label", "kind", "folds", "said", "pooled")
        }
        bases = 0
        for n, meta in enumerate(meta for path in paths for meta in sorted(path.glob("????.npz"))):
            self.rows.append(np.load(meta.with_suffix(".npy"), mmap_mode="r"))
            with np.load(meta) as shard:
                ends = shard["ends"]
                starts = np.concatenate([[0], ends[:-1]])
                shard_of.append(np.full(len(ends), n))
                start_of.append(starts)
                length.append(ends - starts)
                view_of.append(shard["view_of"] + bases)
                for key, parts in tables.items():
                    parts.append(shard[key])
                bases += len(shard["label"])
        self.shard_of, self.start_of = np.concatenate(shard_of), np.concatenate(start_of)
        self.length, self.view_of = np.concatenate(length), np.concatenate(view_of)
        self.label, self.kind, self.folds, self.said, self.pooled = (
            np.concatenate(parts) for parts in tables.values()
        )
        self.labels = labels
        usable = self.length >= 3
        if fold >= 0:
            usable &= (self.folds[self.view_of] >> fold & 1) == 0
        if hidden:  # labels held out: neither clips of them nor the teacher's word for them
            held = np.array(sorted(hidden))
            probable = np.exp(self.said.astype(np.float32))[:, held].sum(axis=1)
            bad = np.isin(self.label, held) | ((probable > 0.2) & (self.kind != NO))
            usable &= ~bad[self.view_of]
        self.hidden = hidden
        self.by_kind = {}
        for kind in SHARES:
            views = np.flatnonzero(usable & (self.kind[self.view_of] == kind))
            weight = np.ones(len(views))
            if kind in (LABELLED, BLEND):  # rare labels more often
                of = self.label[self.view_of[views]]
                weight = 1 / np.sqrt(np.bincount(of, minlength=labels)[of])
            self.by_kind[kind] = views, np.cumsum(weight / weight.sum())
        pooled = self.pooled[self.kind != NO].astype(np.float32)
        self.middle, self.spread = np.nanmean(pooled, axis=0), np.nanstd(pooled, axis=0) + 1e-3

    def __len__(self) -> int:
        return sum(len(views) for views, _ in self.by_kind.values())

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Numbers of views."""
        kinds = rng.choice(list(self.shares), size=count, p=list(self.shares.values()))
        out = np.empty(count, np.int64)
        for kind, (views, cumulative) in self.by_kind.items():
            mine = kinds == kind
            out[mine] = views[
                np.searchsorted(cumulative, rng.random(mine.sum()) * cumulative[-1] * 0.9999999)
            ]
        return out

    def view(self, i: int) -> Floats:
        start = int(self.start_of[i])
        rows = self.rows[self.shard_of[i]][start : start + int(self.length[i])]
        return rows[-MOST_ROWS:].astype(np.float32)

    def target(self, i: int) -> tuple[Floats, Floats, float]:
        """Probabilities of the labels and *no sign* `[K+1]`, the teacher's activations, and the
        weight of matching these."""
        base = self.view_of[i]
        kind, label = int(self.kind[base]), int(self.label[base])
        target = np.zeros(self.labels + 1, np.float32)
        if kind == NO:
            target[:] = SMOOTHING / 2 / (self.labels + 1)
            target[label] += 1 - SMOOTHING / 2
            return target, np.zeros_like(self.middle), 0.0
        said = np.exp(self.said[base].astype(np.float32))
        asked = bool(np.isfinite(said[0]))  # a teacher
        if not asked:
            said = np.eye(self.labels, dtype=np.float32)[label]
        if self.hidden:
            said[list(self.hidden)] = 0
        said /= said.sum()
        pooled = (self.pooled[base].astype(np.float32) - self.middle) / self.spread
        if kind == COMPOSED:
            trust = 0.5 if label == self.labels else 1.0
            target[:-1] = trust * said
            target[-1] = 1 - trust
        else:
            target[:-1] = TRUST * said
            target += (1 - TRUST) * SMOOTHING / (self.labels + 1)
            target[label] += (1 - TRUST) * (1 - SMOOTHING)
        if not asked or self.hidden:
            return target, np.zeros_like(self.middle), 0.0
        return target, pooled, 1.0


@dataclass
class Batch:
    rows: Tensor
    valid: Tensor
    target: Tensor
    pooled: Tensor
    matched: Tensor


def bend(rows: Floats, rng: np.random.Generator, columns: dict[str, slice]) -> Floats:
    """Hides parts of a clip: groups of columns, stretches of time."""
    for name, often in DROPPED.items():
        if name in columns and rng.random() < often:
            rows[:, columns[name]] = np.nan
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            at, length = rng.integers(len(rows)), rng.integers(1, max(2, len(rows) // 5 + 1))
            rows[at : at + length] = np.nan
    return rows


def batches(bank: Bank, rng: np.random.Generator) -> list[np.ndarray]:
    """Several batches of views of about equal length each."""
    views = bank.draw(rng, BATCH * 16)
    views = views[
        np.argsort(np.minimum(bank.length[views], MOST_ROWS) + rng.uniform(0, 6, len(views)))
    ]
    return [views[k * BATCH : (k + 1) * BATCH] for k in rng.permutation(16)]


def batch(
    bank: Bank, views: np.ndarray, rng: np.random.Generator, columns: dict[str, slice]
) -> Batch:
    clips = [bend(bank.view(i), rng, columns) for i in views]
    targets = [bank.target(i) for i in views]
    rows, valid = padded(clips)
    parts = (np.stack([t[k] for t in targets]) for k in (0, 1))
    target, pooled = (torch.from_numpy(part.astype(np.float32)) for part in parts)
    matched = torch.tensor([t[2] for t in targets])
    return Batch(rows, valid, target, pooled, matched)


def padded(clips: list[Floats]) -> tuple[Tensor, Tensor]:
    """Clips as one batch: rows `[B,T,F]`, `NaN` behind their ends, and 1 where there is a row."""
    longest = max(map(len, clips))
    rows = np.full((len(clips), longest, clips[0].shape[1]), np.nan, np.float32)
    valid = np.zeros((len(clips), longest), np.float32)
    for i, clip in enumerate(clips):
        rows[i, : len(clip)] = clip
        valid[i, : len(clip)] = 1
    return torch.from_numpy(rows), torch.from_numpy(valid)


def loss_of(net: Net, some: Batch) -> Tensor:
    logits, _, match = net(some.rows, some.valid)
    loss = -(some.target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    near = F.smooth_l1_loss(match, some.pooled, reduction="none").mean(dim=1)
    return loss + 2.0 * (near * some.matched).sum() / some.matched.sum().clamp(min=1)


def normalise(net: Net, bank: Bank, rng: np.random.Generator) -> None:
    """Scales the network's columns by clips of a bank."""
    scale(net, np.concatenate([bank.view(i) for i in bank.draw(rng, 1500)]), spans())


def scale(net: Net, sample: Floats, columns: dict[str, slice]) -> None:
    """Sets mean and scale of each column, and of the relative ones, from a sample of rows."""
    mean, spread = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0) + 1e-2
    net.mean.copy_(torch.from_numpy(mean))
    net.scale.copy_(torch.from_numpy(1 / spread))
    for column, root in relations(columns).items():
        between = np.nanstd(sample[:, column] - sample[:, root]) + 1e-2
        net.relate[column, column] = float(spread[column] / between)
        net.relate[root, column] = float(-spread[root] / between)


def fit(
    bank: Bank, shape: Shape, steps: int, seed: int, out: Path, start: Net | None = None
) -> Net:
    """Trains, anew or from where another training came to; what is returned is the running average
    of the weights."""
    rate = 1e-3 if start else 2e-3
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = start.train() if start else Net(shape)
    if not start:
        normalise(net, bank, rng)
    net.to(device)
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    plain = [p for p in net.parameters() if p.ndim < 2]
    heavy = [p for p in net.parameters() if p.ndim >= 2]
    groups = [{"params": heavy, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1
    )
    kept, done = out.with_suffix(".checkpoint"), 0
    losses: list[float] = []
    if kept.exists():
        stored = torch.load(kept, map_location="cpu", weights_only=False)
        for part, what in zip((net, mean, optimizer, schedule), stored["parts"], strict=True):
            part.load_state_dict(what)
        rng.bit_generator.state, done = stored["rng"], stored["done"]
        torch.set_rng_state(stored["torch"])
        losses = stored["losses"]
    columns = spans()
    bar = tqdm(total=steps, initial=done, unit="step", mininterval=20)
    while done < steps:
        for views in batches(bank, rng):
            if done == steps:
                break
            some = batch(bank, views, rng, columns)
            some = Batch(**{k: v.to(device) for k, v in vars(some).items()})
            loss = loss_of(net, some)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(net)
            losses.append(loss.item())
            done += 1
            bar.update()
            if done % 50 == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-200:]):.3f}", refresh=False)
        if done % 400 < 16:
            parts = [part.state_dict() for part in (net, mean, optimizer, schedule)]
            state = {"parts": parts, "rng": rng.bit_generator.state, "done": done, "losses": losses}
            torch.save(state | {"torch": torch.get_rng_state()}, kept.with_suffix(".part"))
            kept.with_suffix(".part").rename(kept)
    trained: Net = mean.module.cpu().eval()
    torch.save({"shape": asdict(net.shape), "weights": trained.state_dict(), "losses": losses}, out)
    kept.unlink(missing_ok=True)
    return trained


def read(path: Path) -> Net:
    """A network that `fit` has written."""
    stored = torch.load(path, map_location="cpu", weights_only=False)
    net = Net(Shape(**stored["shape"]))
    net.load_state_dict(stored["weights"])
    return net.eval()


def rows_of_files(signd: Path, files: list[Path], groups: str = GROUPS) -> list[Floats]:
    """Rows of recordings as they are."""
    command = [str(signd), "features", "--groups", groups, "--rate", str(RATE_HZ), *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        answers = list(msgpack.Unpacker(process.stdout, max_buffer_size=1 << 31))
    if process.returncode:
        raise SystemExit("signd features failed")
    return [np.frombuffer(a["data"], "<f4").reshape(-1, a["columns"]) for a in answers]


@torch.no_grad()
def answers(net: Net, rows: list[Floats]) -> tuple[Floats, Floats]:
    """Logits `[N,K]` and embeddings `[N,E]` of whole clips."""
    logits, embeddings = [], []
    for clip in rows:
        some = torch.from_numpy(clip[-MOST_ROWS:].copy())[None]
        a, b = net.window(some)
        logits.append(a[0].numpy())
        embeddings.append(b[0].numpy())
    return np.stack(logits), np.stack(embeddings)


def score(net: Net, signd: Path, data: Path, fold: int, split: Path) -> dict[str, list[float]]:
    """Top-1 and top-5 of the signers left out, by set; of all signers where none was."""
    labels = read_vocabulary(data / "gislr/sign_to_prediction_index_map.json")
    folds = read_split(split)
    found = {}
    for name in ("gislr", "wlasl", "webcam"):
        lines = [
            line
            for line in read_index(data / name / "index.csv")
            if line["label"] in labels and (fold < 0 or folds[name, line["signer"]] == fold)
        ]
        rows = rows_of_files(signd, [data / name / line["path"] for line in lines])
        truth = np.array([labels.index(line["label"]) for line in lines])
        logits, _ = answers(net, rows)
        order = np.argsort(-logits, axis=1)
        top = [(order[:, :k] == truth[:, None]).any(axis=1).mean() for k in (1, 5)]
        found[name] = [len(lines), *(round(float(x), 4) for x in top)]
    return found


def shape_for(labels: int, groups: str = GROUPS, **sizes: object) -> Shape:
    columns = spans(groups)
    flags = tuple(where.start for where in columns.values())
    return Shape(max(where.stop for where in columns.values()), flags, labels + 1, **sizes)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("banks", type=Path, nargs="+")
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    parser.add_argument("--fold", type=int, default=-1)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--after", type=Path, help="network of the first stage to start from")
    parser.add_argument("--hidden", type=Path, help="labels held out, one a line")
    parser.add_argument("--sizes", type=json.loads, default={}, help="of the network, JSON")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # a second thread gains little and loses much on a busy machine
    labels = read_vocabulary(asked.data / "gislr/sign_to_prediction_index_map.json")
    held = asked.hidden.read_text().split("\n") if asked.hidden else []
    hidden = frozenset(labels.index(label) for label in held if label)
    first = read(asked.after) if asked.after else None
    shares = SHARES_AFTER if first else SHARES
    bank = Bank(asked.banks, asked.fold, len(labels), hidden, shares)
    shape = shape_for(len(labels), **asked.sizes)
    start = time.monotonic()
    net = fit(bank, shape, asked.steps, asked.seed, asked.out, first)
    size = sum(p.numel() for p in net.parameters()) - sum(p.numel() for p in net.match.parameters())
    print(f"{size / 1e6:.2f} M parameters, {len(bank)} views, {time.monotonic() - start:.0f} s")
    print(json.dumps(score(net, asked.signd, asked.data, asked.fold, asked.split)))


if __name__ == "__main__":
    main()
