"""The network: causal convolutions over time, running statistics, a unit-length embedding.

Nothing in it looks ahead and nothing looks at the whole clip: after each row its answer is that for
the sign so far. `forward` gives the answer after the last row of many clips at once, for training
and for the window form; `step` takes one row of each of many streams with their state, for the
streaming form. Both are the same weights and the same numbers.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..features import GROUPS, spans
from .bank import POOLED
from .blocks import Block

HEADS = 4
"""Of the attention that pools a clip."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network."""

    columns: int
    """Numbers in a row."""
    flags: tuple[int, ...]
    """Columns that the network is told of whether they are known: one of each group."""
    labels: int
    """Outputs: the vocabulary and *no sign*."""
    channels: int = 160
    taps: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4)
    embedding: int = 192
    pooled: int = POOLED
    """Activations of the teacher's last layer, matched in training only."""
    drop: float = 0.15


class Net(nn.Module):
    """Rows, `NaN` where missing, to logits and a unit-length embedding."""

    flag_columns: Tensor
    mean: Tensor
    scale: Tensor
    relative: Tensor
    """`[F,F]`: normalised columns to relative ones; see `relations`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c = shape.channels
        self.register_buffer("mean", torch.zeros(shape.columns))
        self.register_buffer("scale", torch.ones(shape.columns))
        self.register_buffer("relative", torch.eye(shape.columns))
        self.register_buffer("flag_columns", torch.tensor(shape.flags))
        self.input = nn.Linear(shape.columns + len(shape.flags), c)
        self.blocks = nn.ModuleList(Block(c, shape.taps, d, shape.drop) for d in shape.dilations)
        self.norm = nn.LayerNorm(c)
        self.attention = nn.Linear(c, HEADS)
        self.embed = nn.Linear(3 * c, shape.embedding)
        self.drop = nn.Dropout(2 * shape.drop)
        self.prototypes = nn.Parameter(torch.randn(shape.labels, shape.embedding))
        self.sharpness = nn.Parameter(torch.tensor(16.0))
        self.bias = nn.Parameter(torch.zeros(shape.labels))
        self.teacher_head = nn.Linear(3 * c, shape.pooled)

    def size(self) -> int:
        """Number of weights, without those that only training needs."""
        unused = sum(p.numel() for p in self.teacher_head.parameters())
        return sum(p.numel() for p in self.parameters()) - unused

    def stack(self) -> list[Block]:
        """The blocks in their order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def encoded(self, rows: Tensor) -> Tensor:
        """Rows `[..,F]` as what the blocks take, `[..,C]`."""
        known = torch.isfinite(rows)
        x = torch.where(known, (rows - self.mean) * self.scale, torch.zeros_like(rows))
        x = x.clamp(-5.0, 5.0)
        flags = known.to(x.dtype).index_select(-1, self.flag_columns)
        x = torch.cat([x, flags], dim=-1)
        return F.linear(x, self.input_weight(), self.input.bias)

    def input_weight(self) -> Tensor:
        """The weight of the first layer. It is learnt upon relative columns: in absolute ones the
        shape of a hand is a small difference of large numbers."""
        columns = self.shape.columns
        weight = self.input.weight
        return torch.cat([weight[:, :columns] @ self.relative.t(), weight[:, columns:]], dim=1)

    def pool(self, x: Tensor, mask: Tensor) -> Tensor:
        """What clips `[B,T,C]` were like as a whole, `[B,3C]`: mean, maximum, mean by attention."""
        mean = (x * mask).sum(dim=1) / mask.sum(dim=1)
        most = x.masked_fill(mask == 0, -1e9).amax(dim=1)
        weight = attention_weight(self.attention(x)) * mask
        value = x.unflatten(2, (HEADS, -1))
        attended = (value * weight[..., None]).sum(dim=1) / weight.sum(dim=1)[..., None]
        return torch.cat([mean, most, attended.flatten(1)], dim=1)

    def train_pool(self, rows: Tensor, valid: Tensor) -> Tensor:
        """Pooled clips of a batch `[B,T,F]`, `valid [B,T]` 1 on rows that are there; the blocks in
        bfloat16, which CPUs and GPUs multiply many times faster."""
        lead = max(block.reach for block in self.stack())
        mask = F.pad(valid, (lead, 0))[..., None]
        x = F.pad(self.encoded(rows), (0, 0, lead, 0)).bfloat16()
        for block in self.stack():
            x = block(x, mask.bfloat16())
        return self.pool(self.norm(x.float()), mask)

    def classified(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[B,K]` and embedding `[B,E]`."""
        embedding = F.normalize(self.embed(self.drop(pooled)), dim=1)
        near = F.linear(embedding, F.normalize(self.prototypes, dim=1))
        return near * self.sharpness + self.bias, embedding

    def forward(self, rows: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For training: logits, embedding, and what is to match the teacher's activations."""
        pooled = self.train_pool(rows, valid)
        logits, embedding = self.classified(pooled)
        return logits, embedding, self.teacher_head(pooled)

    def window(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """A whole clip `[1,T,F]`: logits and embedding."""
        x = self.encoded(rows)
        for block in self.stack():
            x = block.window(x)
        return self.classified(self.pool(self.norm(x), torch.ones_like(x[..., :1])))

    def state_size(self) -> int:
        """Numbers in a stream's state. As rows of C: the past of the blocks (`remembered`), sum,
        maximum, what attention gathered, and one with the count and attention's weights."""
        return self.shape.channels * (sum(block.reach for block in self.stack()) + 4)

    def step(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One row `[B,F]` of each of B streams and their states `[B,S]`: logits, embeddings, next
        states. A zero state is the beginning of a sign."""
        c = self.shape.channels
        taps, moved = remembered([(block.taps, block.dilation) for block in self.stack()])
        past = state.unflatten(1, (-1, c))
        pasts = (
            past.index_select(1, torch.tensor(taps))
            .flatten(1)
            .split([(b.taps - 1) * c for b in self.stack()], dim=1)
        )
        x, fresh = self.encoded(rows), []
        for block, met in zip(self.stack(), pasts, strict=True):
            x, now = block.step(x, met)
            fresh.append(now)
        x = self.norm(x)
        total, most, attended, other = (past[:, -k] for k in (4, 3, 2, 1))
        count, weights, unused = other.split([1, HEADS, c - 1 - HEADS], dim=1)
        weight = attention_weight(self.attention(x))
        most = torch.where(count == 0, x, torch.maximum(most, x))
        count, total, weights = count + 1, total + x, weights + weight
        attended = attended + (x.unflatten(1, (HEADS, -1)) * weight[..., None]).flatten(1)
        share = (attended.unflatten(1, (HEADS, -1)) / weights[..., None]).flatten(1)
        logits, embedding = self.classified(torch.cat([total / count, most, share], dim=1))
        kept = past.index_select(1, torch.tensor(moved)).flatten(1)
        after = torch.cat([*fresh, kept, total, most, attended, count, weights, unused], dim=1)
        return logits, embedding, after


def shape_for(labels: int, groups: str = GROUPS, **sizes: Any) -> Shape:
    """The shape of a network for rows of these groups and a vocabulary of this size. `sizes`: other
    fields of `Shape`; lists stand for tuples, as in JSON."""
    columns = spans(groups)
    flags = tuple(where.start for where in columns.values())
    sizes = {name: tuple(x) if isinstance(x, list) else x for name, x in sizes.items()}
    return Shape(max(where.stop for where in columns.values()), flags, labels + 1, **sizes)


def remembered(blocks: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Where in a state the rows lie that the taps of the blocks (taps, dilation) meet, oldest
    first, and the rows that move one place on. The newest row of every block comes first in a
    state, then of each block the older ones, so that a step is one gather and one concatenation."""
    places, start = [], len(blocks)
    for i, (taps, dilation) in enumerate(blocks):
        reach = (taps - 1) * dilation
        places.append([i, *range(start, start + reach - 1)])  # of one row ago, of two, ..
        start += reach - 1
    met = [
        place[k * dilation - 1]
        for place, (taps, dilation) in zip(places, blocks, strict=True)
        for k in range(taps - 1, 0, -1)
    ]
    return met, [row for place in places for row in place[:-1]]


def relations(columns: dict[str, slice]) -> dict[int, int]:
    """Columns that are told relative to another: column to that one. Points of a hand to its wrist,
    the lips to one corner, the dominant hand's wrist to that corner, the other's to it."""
    found: dict[int, int] = {}
    for name in ("hand", "other", "lips"):
        if name in columns:
            at = columns[name]
            found |= {i: at.start + (i - at.start) % 2 for i in range(at.start + 2, at.stop)}
    for name, root in (("hand", "lips"), ("other", "hand")):
        if name in columns and root in columns:
            found |= {columns[name].start + d: columns[root].start + d for d in (0, 1)}
    return found


def attention_weight(score: Tensor) -> Tensor:
    """Positive weights, bounded so that a running sum of them needs no rescaling."""
    return torch.exp(8.0 * torch.tanh(score / 8.0))
