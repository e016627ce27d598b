"""Trains the first model: the few signs of the project's own animated signer.

    cargo run --release --example animated_signer clips CLIPS --people 60 --seed 1 --times 2
    python models/train.py CLIPS/index.csv --signd target/release/signd

A causal convolutional network over the rows that `signd features` computes. One signer in five is
held out; the accuracy printed is theirs. It knows nobody real, and says nothing about how real
signers are understood.
"""

import argparse
import csv
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgpack
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

GROUPS = "hand other arms face_distance tip_distance finger_angle hand_v"
RATE_HZ = 30
WINDOW_ROWS = 128
NO_SIGN = "no sign"
Rows = NDArray[np.float32]


@dataclass
class Clip:
    """Rows `[T, F]` of one recording and the sign in it."""

    rows: Rows
    label: str
    signer: str
    start: int  # first row of the sign itself
    end: int  # one after its last


class Net(nn.Module):
    """Rows `[1, T, F]`, `NaN` where missing, to logits `[1, labels]`."""

    def __init__(self, width: int, labels: int, channels: int = 96) -> None:
        super().__init__()
        self.enter = nn.Linear(2 * width, channels)
        steps = [(5, 1), (5, 2), (5, 4)]
        self.pads = [(k - 1) * d for k, d in steps]
        self.steps = nn.ModuleList(nn.Conv1d(channels, channels, k, dilation=d) for k, d in steps)
        self.drop = nn.Dropout(0.2)
        self.leave = nn.Linear(2 * channels, labels)

    def forward(self, rows: Tensor, valid: Tensor | None = None) -> Tensor:
        known = torch.isfinite(rows)
        rows = torch.where(known, rows, torch.zeros_like(rows))
        x = self.enter(torch.cat([rows, known.to(rows.dtype)], dim=2)).transpose(1, 2)
        for pad, step in zip(self.pads, self.steps, strict=True):
            x = x + torch.relu(step(nn.functional.pad(x, (pad, 0))))
        if valid is None:
            pooled = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)
        else:  # a batch of unequal lengths, padded at the end
            mask = valid[:, None, :]
            mean = (x * mask).sum(dim=2) / mask.sum(dim=2)
            pooled = torch.cat([mean, x.masked_fill(mask == 0, -1e9).amax(dim=2)], dim=1)
        logits: Tensor = self.leave(self.drop(pooled))
        return logits


def load(index: Path, signd: Path) -> list[Clip]:
    """Reads the clips of an index through the daemon's own feature extractor."""
    with index.open(newline="") as file:
        table = list(csv.DictReader(file))
    command = [str(signd), "features", "--groups", GROUPS, "--rate", str(RATE_HZ)]
    paths = [str(index.parent / line["path"]) for line in table]
    clips: list[Clip] = []
    with subprocess.Popen([*command, *paths], stdout=subprocess.PIPE) as process:
        unpacker = msgpack.Unpacker(process.stdout, max_buffer_size=1 << 30)
        for line, answer in tqdm(zip(table, unpacker, strict=False), total=len(table), unit="clip"):
            rows = np.frombuffer(answer["data"], "<f4").reshape(-1, answer["columns"])
            row = RATE_HZ / float(line["fps"])
            start, end = (int(float(line[k] or 0) * row) for k in ("start_seq", "end_seq"))
            label = line["label"] or NO_SIGN
            clips.append(Clip(rows, label, line["signer"], start, max(end, start + 1)))
    if process.returncode or len(clips) != len(table):
        raise SystemExit("signd features failed")
    return clips


def cut(clip: Clip, rng: np.random.Generator) -> tuple[Rows, str]:
    """One training example, cut about as the segmenter cuts; now and then what is no sign."""
    length, label = len(clip.rows), clip.label
    start = clip.start + int(rng.integers(-10, 4))
    end = clip.end + int(rng.integers(-3, 15))
    if rng.random() < 0.15:  # rest and lead-in only
        start, end, label = 0, max(clip.start, 5), NO_SIGN
    elif rng.random() < 0.1:  # what comes after
        start, end, label = min(clip.end + 3, length - 5), length, NO_SIGN
    start = min(max(start, 0), length - 2)
    rows = clip.rows[start : max(end, start + 2)][-WINDOW_ROWS:].copy()
    rows += rng.normal(0.0, 0.005, rows.shape).astype(np.float32)
    if rng.random() < 0.3:  # the estimator loses everything for a moment
        at = int(rng.integers(len(rows)))
        rows[at : at + 3] = np.nan
    return rows, label


def batch(
    clips: list[Clip], labels: list[str], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Padded rows `[B, T, F]`, their validity `[B, T]`, and label numbers `[B]`."""
    cuts = [cut(clip, rng) for clip in clips]
    longest = max(len(rows) for rows, _ in cuts)
    rows = np.full((len(cuts), longest, clips[0].rows.shape[1]), np.nan, np.float32)
    valid = np.zeros((len(cuts), longest), np.float32)
    for i, (part, _) in enumerate(cuts):
        rows[i, : len(part)] = part
        valid[i, : len(part)] = 1.0
    numbers = [labels.index(label) for _, label in cuts]
    return torch.from_numpy(rows), torch.from_numpy(valid), torch.tensor(numbers)


def train(clips: list[Clip], labels: list[str], steps: int, seed: int) -> Net:
    """Trains on all signers but each fifth and prints the accuracy on those."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    signers = sorted({clip.signer for clip in clips})
    held_out = set(signers[::5])
    known = [clip for clip in clips if clip.signer not in held_out]
    unknown = [clip for clip in clips if clip.signer in held_out]
    net = Net(clips[0].rows.shape[1], len(labels))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for _ in tqdm(range(steps), unit="step"):
        picked = [known[i] for i in rng.integers(len(known), size=64)]
        rows, valid, numbers = batch(picked, labels, rng)
        loss = loss_of(net(rows, valid), numbers)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    net.eval()
    rows, valid, numbers = batch(unknown, labels, np.random.default_rng(0))
    with torch.no_grad():
        right = (net(rows, valid).argmax(1) == numbers).float().mean().item()
    print(f"{len(held_out)} signers held out, {len(unknown)} clips: {right:.1%} right")
    return net


def export(net: Net, labels: list[str], width: int, out: Path) -> None:
    """Writes the ONNX file with its metadata and checks that the runtime agrees with PyTorch."""
    rows = torch.randn(1, 40, width)
    rows[0, 3:6] = torch.nan
    torch.onnx.export(
        net,
        (rows,),
        str(out),
        input_names=["rows"],
        output_names=["logits"],
        dynamic_shapes={"rows": {1: torch.export.Dim("T", min=2)}},
        external_data=False,
    )
    model = onnx.load(out)
    onnx.helper.set_model_props(
        model,
        {
            "signd.contract": "features",
            "signd.name": "animated 1",
            "signd.schema": "signd/1",
            "signd.groups": GROUPS,
            "signd.rate": str(RATE_HZ),
            "signd.window": str(WINDOW_ROWS),
            "signd.labels": json.dumps(labels),
            "signd.no_sign": NO_SIGN,
        },
    )
    onnx.save(model, out)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    for length in (2, 40, WINDOW_ROWS):
        some = torch.randn(1, length, width)
        with torch.no_grad():
            ours = net(some).numpy()
        theirs = session.run(["logits"], {"rows": some.numpy()})[0]
        gap = float(np.abs(ours - theirs).max())
        if gap > 1e-4:
            raise SystemExit(f"ONNX Runtime differs from PyTorch by {gap} at {length} rows")
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB, agrees with PyTorch to 1e-4")


def main() -> None:
    """Trains and exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("signd.onnx"))
    asked = parser.parse_args()
    torch.set_num_threads(1)  # a second thread gains little and loses much on a busy machine
    clips = load(asked.index, asked.signd)
    labels = sorted({clip.label for clip in clips} - {NO_SIGN}) + [NO_SIGN]
    net = train(clips, labels, asked.steps, asked.seed)
    export(net, labels, clips[0].rows.shape[1], asked.out)


if __name__ == "__main__":
    main()
