"""The network: causal convolutions over time, running statistics, a unit-length embedding.

Nothing in it looks ahead and nothing looks at the whole clip: after each row its answer is that for
the sign so far. `forward` gives the answer after the last row of many clips at once, for training
and for the window form; `step` takes one row of each of many streams with their state, for the
streaming form. Both are the same weights and the same numbers.
"""

from dataclasses import dataclass, field
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
    taps: int = 5
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 4)
    embedding: int = 192
    pooled: int = 384
    """Activations of the teacher's last layer, matched in training only."""
    drop: float = 0.15
    extra: dict[str, float] = field(default_factory=dict)


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

    def taken(self, seen: Tensor, rows: int) -> Tensor:
        """Convolution of the last `rows` of `seen [B,reach+rows,C]`."""
        taps = [seen[:, k * self.dilation : k * self.dilation + rows] for k in range(self.taps)]
        return torch.cat(taps, dim=2) @ self.weight.flatten(0, 1) + self.bias

    def window(self, x: Tensor) -> Tensor:
        """A whole clip `[1,T,C]` from its beginning."""
        seen = F.pad(self.normed(x), (0, 0, self.reach, 0))
        return x + self.mixed(self.taken(seen, x.shape[1]))

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One moment `[B,1,C]` with the normalised past `[B,reach,C]`; both anew."""
        seen = torch.cat([past, self.normed(x)], dim=1)
        return x + self.mixed(self.taken(seen, 1)), seen[:, 1:]


class Net(nn.Module):
    """Rows, `NaN` where missing, to logits and a unit-length embedding."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c = shape.channels
        self.register_buffer("mean", torch.zeros(shape.columns))
        self.register_buffer("scale", torch.ones(shape.columns))
        self.flags = list(shape.flags)
        self.enter = nn.Linear(shape.columns + len(self.flags), c)
        self.blocks = nn.ModuleList(Block(c, shape.taps, d, shape.drop) for d in shape.dilations)
        self.norm = nn.LayerNorm(c)
        self.score = nn.Linear(c, HEADS)
        self.leave = nn.Linear(3 * c, shape.embedding)
        self.drop = nn.Dropout(2 * shape.drop)
        self.prototypes = nn.Parameter(torch.randn(shape.labels, shape.embedding))
        self.sharpness = nn.Parameter(torch.tensor(16.0))
        self.bias = nn.Parameter(torch.zeros(shape.labels))
        self.match = nn.Linear(3 * c, shape.pooled)

    def look(self, rows: Tensor) -> Tensor:
        """Rows `[B,T,F]` as what the blocks take, `[B,T,C]`."""
        known = torch.isfinite(rows)
        x = torch.where(known, (rows - self.mean) * self.scale, torch.zeros_like(rows))
        x = torch.cat([x.clamp(-5.0, 5.0), known[:, :, self.flags].to(x.dtype)], dim=2)
        entered: Tensor = self.enter(x)
        return entered

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
        lead = max(block.reach for block in self.blocks)
        mask = F.pad(valid, (lead, 0))[..., None]
        x = F.pad(self.look(rows), (0, 0, lead, 0)).bfloat16()
        for block in self.blocks:
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
        for block in self.blocks:
            x = block.window(x)
        return self.answer(self.pool(self.norm(x), torch.ones_like(x[..., :1])))

    def state_parts(self) -> list[int]:
        """Sizes of the parts of a stream's state: the past of each block; count, sum, maximum;
        attention's weights and what they drew."""
        c = self.shape.channels
        return [*(c * block.reach for block in self.blocks), 1, c, c, HEADS, c]

    def step(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One row `[B,F]` of each of B streams and their states `[B,S]`: logits, embeddings, next
        states. A zero state is the beginning of a sign."""
        c = self.shape.channels
        *pasts, count, total, most, weights, drawn = state.split(self.state_parts(), dim=1)
        x = self.look(rows[:, None, :])
        kept = []
        for block, past in zip(self.blocks, pasts, strict=True):
            x, past = block.step(x, past.unflatten(1, (block.reach, c)))
            kept.append(past.flatten(1))
        x = self.norm(x)[:, 0]
        weight = attention(self.score(x))
        most = torch.where(count == 0, x, torch.maximum(most, x))
        count, total, weights = count + 1, total + x, weights + weight
        drawn = drawn + (x.unflatten(1, (HEADS, -1)) * weight[..., None]).flatten(1)
        share = (drawn.unflatten(1, (HEADS, -1)) / weights[..., None]).flatten(1)
        logits, embedding = self.answer(torch.cat([total / count, most, share], dim=1))
        next_state = torch.cat([*kept, count, total, most, weights, drawn], dim=1)
        return logits, embedding, next_state


HEADS = 4


def attention(score: Tensor) -> Tensor:
    """Positive weights, bounded so that a running sum of them needs no rescaling."""
    return torch.exp(8.0 * torch.tanh(score / 8.0))
