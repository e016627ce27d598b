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


@dataclass(frozen=True)
class Shape:
    """Sizes of a network."""

    columns: int
    """Numbers in a row."""
    flags: tuple[int, ...]
    """Columns whose being known is told to the network: one of each group."""
    labels: int
    channels: int = 160
    taps: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4)
    embedding: int = 192
    pooled: int = 384
    """Activations of the teacher's last layer, matched in training only."""
    drop: float = 0.15


class CausalConv(torch.autograd.Function):
    """`y[t] = b + sum_k x[t - (K-1-k) d] W[k]` over flat rows `[N,C]`, `W [K,C,C]`.

    A sum of plain matrix products over shifted views: on a CPU several times faster than Conv1d,
    which moves memory around. Clips lie one after the other, each led by at least `(K-1) d` rows of
    zeros, so none sees another.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        taps, n = len(weight), len(x)
        led = F.pad(x, (0, 0, (taps - 1) * dilation, 0))
        ctx.save_for_backward(led, weight)
        ctx.dilation = dilation
        y = torch.addmm(bias, led[:n], weight[0])
        for k in range(1, taps):
            y.addmm_(led[k * dilation : k * dilation + n], weight[k])
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        led, weight = ctx.saved_tensors
        grad, taps, d = grads[0].contiguous(), len(weight), ctx.dilation
        n = len(grad)
        back, of_weight = torch.zeros_like(led), torch.empty_like(weight)
        for k in range(taps):
            back[k * d : k * d + n].addmm_(grad, weight[k].t())
            torch.mm(led[k * d : k * d + n].t(), grad, out=of_weight[k])
        return back[(taps - 1) * d :], of_weight, grad.sum(dim=0), None


class Block(nn.Module):
    """`x + W relu(conv(norm(x)))`, the convolution over the present and the past."""

    def __init__(self, channels: int, taps: int, dilation: int, drop: float) -> None:
        super().__init__()
        self.taps, self.dilation, self.reach = taps, dilation, (taps - 1) * dilation
        self.drop = drop
        self.norm = nn.LayerNorm(channels)
        self.weight = nn.Parameter(torch.randn(taps, channels, channels) / (taps * channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.mix = nn.Linear(channels, channels)
        nn.init.zeros_(self.mix.weight)

    def normed(self, x: Tensor) -> Tensor:
        gain, shift = self.norm.weight.to(x.dtype), self.norm.bias.to(x.dtype)
        return F.layer_norm(x, x.shape[-1:], gain, shift)

    def mixed(self, y: Tensor) -> Tensor:
        return F.linear(F.relu(y), self.mix.weight.to(y.dtype), self.mix.bias.to(y.dtype))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Clips `[B,T,C]`, in training; `mask [B,T,1]` is 0 on the leading zeros and at the end."""
        b, t, c = x.shape
        seen = (self.normed(x) * mask).view(b * t, c)
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        y: Tensor = CausalConv.apply(seen, weight, bias, self.dilation).view(b, t, c)
        if self.training and self.drop > 0:  # of whole channels of a clip
            kept = torch.rand(b, 1, c, device=x.device) >= self.drop
            y = y * (kept / (1 - self.drop)).to(y.dtype)
        return x + self.mixed(y)

    def window(self, x: Tensor) -> Tensor:
        """A whole clip `[1,T,C]` from its beginning."""
        seen = F.pad(self.normed(x).transpose(1, 2), (self.reach, 0))
        y = F.conv1d(seen, self.weight.permute(2, 1, 0), self.bias, dilation=self.dilation)
        y = F.conv1d(F.relu(y), self.mix.weight[..., None], self.mix.bias)
        return x + y.transpose(1, 2)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One moment `[B,C]` and the earlier ones that the taps meet, `[B,(K-1)*C]`; the moment after
        this block, and what the past will know of it."""
        now = self.normed(x)
        taps = torch.cat([past, now], dim=1)
        y = F.linear(taps, self.weight.flatten(0, 1).t(), self.bias)
        return x + self.mixed(y), now


class Net(nn.Module):
    """Rows, `NaN` where missing, to logits and a unit-length embedding."""

    told: Tensor
    mean: Tensor
    scale: Tensor
    relate: Tensor
    """`[F,F]`: normalised columns to relative ones; see `relations`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c = shape.channels
        self.register_buffer("mean", torch.zeros(shape.columns))
        self.register_buffer("scale", torch.ones(shape.columns))
        self.register_buffer("relate", torch.eye(shape.columns))
        self.register_buffer("told", torch.tensor(shape.flags))
        self.enter = nn.Linear(shape.columns + len(shape.flags), c)
        self.blocks = nn.ModuleList(Block(c, shape.taps, d, shape.drop) for d in shape.dilations)
        self.norm = nn.LayerNorm(c)
        self.score = nn.Linear(c, HEADS)
        self.leave = nn.Linear(3 * c, shape.embedding)
        self.drop = nn.Dropout(2 * shape.drop)
        self.prototypes = nn.Parameter(torch.randn(shape.labels, shape.embedding))
        self.sharpness = nn.Parameter(torch.tensor(16.0))
        self.bias = nn.Parameter(torch.zeros(shape.labels))
        self.match = nn.Linear(3 * c, shape.pooled)

    def stack(self) -> list[Block]:
        """The blocks in their order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def look(self, rows: Tensor) -> Tensor:
        """Rows `[..,F]` as what the blocks take, `[..,C]`."""
        known = torch.isfinite(rows)
        x = torch.where(known, (rows - self.mean) * self.scale, torch.zeros_like(rows))
        x = torch.cat([x.clamp(-5.0, 5.0), known.to(x.dtype).index_select(-1, self.told)], dim=-1)
        return F.linear(x, self.entering(), self.enter.bias)

    def entering(self) -> Tensor:
        """The weight of the first layer. It is learnt upon relative columns (`relate`): in absolute
        ones the shape of a hand is a small difference of large numbers."""
        columns = self.shape.columns
        weight = self.enter.weight
        return torch.cat([weight[:, :columns] @ self.relate.t(), weight[:, columns:]], dim=1)

    def pool(self, x: Tensor, mask: Tensor) -> Tensor:
        """What clips `[B,T,C]` were like as a whole, `[B,3C]`: mean, maximum, mean by attention."""
        mean = (x * mask).sum(dim=1) / mask.sum(dim=1)
        most = x.masked_fill(mask == 0, -1e9).amax(dim=1)
        weight = attention(self.score(x)) * mask
        value = x.unflatten(2, (HEADS, -1))
        drawn = (value * weight[..., None]).sum(dim=1) / weight.sum(dim=1)[..., None]
        return torch.cat([mean, most, drawn.flatten(1)], dim=1)

    def train_pool(self, rows: Tensor, valid: Tensor) -> Tensor:
        """Pooled clips of a batch `[B,T,F]`, `valid [B,T]` 1 on rows that are there; the blocks in
        bfloat16, which CPUs and GPUs multiply many times faster."""
        lead = max(block.reach for block in self.stack())
        mask = F.pad(valid, (lead, 0))[..., None]
        x = F.pad(self.look(rows), (0, 0, lead, 0)).bfloat16()
        for block in self.stack():
            x = block(x, mask.bfloat16())
        return self.pool(self.norm(x.float()), mask)

    def answer(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[B,K]` and embedding `[B,E]`."""
        embedding = F.normalize(self.leave(self.drop(pooled)), dim=1)
        near = F.linear(embedding, F.normalize(self.prototypes, dim=1))
        return near * self.sharpness + self.bias, embedding

    def forward(self, rows: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For training: logits, embedding, and what is to match the teacher's activations."""
        pooled = self.train_pool(rows, valid)
        logits, embedding = self.answer(pooled)
        return logits, embedding, self.match(pooled)

    def window(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """A whole clip `[1,T,F]`: logits and embedding."""
        x = self.look(rows)
        for block in self.stack():
            x = block.window(x)
        return self.answer(self.pool(self.norm(x), torch.ones_like(x[..., :1])))

    def state_size(self) -> int:
        """Numbers in a stream's state. As rows of C: the past of the blocks (`remembered`), sum,
        maximum, what attention drew, and one with the count and attention's weights."""
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
        x, fresh = self.look(rows), []
        for block, met in zip(self.stack(), pasts, strict=True):
            x, now = block.step(x, met)
            fresh.append(now)
        x = self.norm(x)
        total, most, drawn, other = (past[:, -k] for k in (4, 3, 2, 1))
        count, weights, unused = other.split([1, HEADS, c - 1 - HEADS], dim=1)
        weight = attention(self.score(x))
        most = torch.where(count == 0, x, torch.maximum(most, x))
        count, total, weights = count + 1, total + x, weights + weight
        drawn = drawn + (x.unflatten(1, (HEADS, -1)) * weight[..., None]).flatten(1)
        share = (drawn.unflatten(1, (HEADS, -1)) / weights[..., None]).flatten(1)
        logits, embedding = self.answer(torch.cat([total / count, most, share], dim=1))
        kept = past.index_select(1, torch.tensor(moved)).flatten(1)
        after = torch.cat([*fresh, kept, total, most, drawn, count, weights, unused], dim=1)
        return logits, embedding, after


def remembered(blocks: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Where in a state the rows lie that the taps of the blocks (taps, dilation) meet, oldest first,
    and the rows that move one place on. The newest row of every block comes first in a state, then
    of each block the older ones, so that a step is one gather and one concatenation."""
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


HEADS = 4


def attention(score: Tensor) -> Tensor:
    """Positive weights, bounded so that a running sum of them needs no rescaling."""
    return torch.exp(8.0 * torch.tanh(score / 8.0))
