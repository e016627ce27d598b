"""The network: causal convolutions and attention over time, warm-started from a public one.

Its shape is that of the network that won Google's competition of isolated signs (Sohn 2023):
depthwise convolutions with channel attention (Wang et al. 2020, "ECA-Net") and two transformer
blocks.

Here it is causal: means over the clip are means over the rows so far, attention sees the last
`SEEN` rows, and a row is normalised by the rows so far. After each row its answer is that for the
sign so far. `pooled` takes whole clips, for training and the window form. `step` takes one row of
each of many streams with their state, for the streaming form. Both are the same weights and the
same numbers. With `causal=False` the network sees the whole clip at once.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..features import CENTRE, POINTS

TAPS = 17
"""Rows that a convolution sees."""
SEEN = 16
"""Rows that attention sees, the newest among them."""
HEADS = 4
WIDE = 2
"""Channels inside a block, over those outside."""
MOUTH = (0.0, -0.55)
"""Where the lips are, in shoulder widths, as long as no frame shows them: median of recordings."""
LEAST_SPREAD = 1e-2
"""Shoulder widths. An axis along which nothing differs is not blown up."""
MOST = 12.0
"""Bound of normalised coordinates and of their changes."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network."""

    labels: int
    """Outputs: the vocabulary and *no sign*."""
    causal: bool = True
    """Whether a row knows the rows before it only."""
    points: int = POINTS
    """Landmarks of a row that the network sees: its first columns, x and y of each."""
    centre: int = CENTRE
    """Number of the landmark about which a clip is centred."""
    channels: int = 192
    pooled: int = 384
    """Size of the embedding."""
    blocks: int = 6


class Dropping(nn.Module):
    """What a branch adds, left out of some clips in training (Huang et al. 2016, stochastic
    depth)."""

    def __init__(self, often: float) -> None:
        super().__init__()
        self.often = often

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.often == 0:
            return x
        kept = torch.rand(len(x), 1, 1, device=x.device) >= self.often
        return x * (kept / (1 - self.often)).to(x.dtype)


class CausalConv(torch.autograd.Function):
    """`y[t,c] = sum_k w[k,c] x[t+k,c]` of clips `[B,T+K-1,C]`, `w [K,C]`: each channel by itself.

    Sums over shifted views, in place: on processors of either kind several times faster than
    Conv1d, above all backwards.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor) -> Tensor:
        ctx.save_for_backward(x, taps)
        t = x.shape[1] - len(taps) + 1
        y = x[:, :t] * taps[0]
        for k in range(1, len(taps)):
            y.addcmul_(x[:, k : k + t], taps[k])
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        x, taps = ctx.saved_tensors
        grad, of_x, of_taps = grads[0], torch.zeros_like(x), torch.empty_like(taps)
        t = grad.shape[1]
        for k in range(len(taps)):
            of_x[:, k : k + t].addcmul_(grad, taps[k])
            of_taps[k] = torch.mul(grad, x[:, k : k + t]).sum(dim=(0, 1))
        return of_x, of_taps


class ConvBlock(nn.Module):
    """`x + project(attend(conv(silu(expand(x)))))`, the convolution over the present and the
    past."""

    def __init__(self, channels: int, drop: float) -> None:
        super().__init__()
        wide = WIDE * channels
        self.expand = nn.Linear(channels, wide)
        self.taps = nn.Parameter(torch.randn(TAPS, wide) / TAPS**0.5)
        """Oldest first."""
        self.bias = nn.Parameter(torch.zeros(wide))
        self.attend = nn.Parameter(torch.zeros(5))
        """Over neighbouring channels."""
        self.project = nn.Linear(wide, channels)
        self.drop = Dropping(drop)

    def gate(self, mean: Tensor) -> Tensor:
        """Share of each channel `[N,T,C]` by the channels' means."""
        if not self.training:
            near = F.conv1d(mean.flatten(0, 1)[:, None], self.attend[None, None], padding=2)
            return torch.sigmoid(near).view_as(mean)
        wide = mean.shape[-1]
        padded = F.pad(mean, (2, 2))  # faster backwards
        score = self.attend[0] * padded[..., :wide]
        for k in range(1, 5):
            score = score + self.attend[k] * padded[..., k : k + wide]
        return torch.sigmoid(score)

    def convolved(self, led: Tensor) -> Tensor:
        """Rows with those that lead them, `[B,T+K-1,C]`, to rows `[B,T,C]`."""
        if self.training:
            found: Tensor = CausalConv.apply(led, self.taps)
            return found
        weight = self.taps.t()[:, None]
        found = F.conv1d(led.transpose(1, 2), weight, groups=led.shape[2])
        return found.transpose(1, 2)

    def forward(self, x: Tensor, valid: Tensor, causal: bool) -> Tensor:
        """Clips `[B,T,C]`. `valid [B,T,1]`."""
        led = F.pad(F.silu(self.expand(x)), (0, 0, TAPS - 1, 0)).float()
        h = self.convolved(led) + self.bias
        mean = mean_so_far(h, valid) if causal else mean_of_clip(h, valid)
        added: Tensor = self.drop(self.project(h * self.gate(mean)))
        return x + added

    def step(self, x: Tensor, due: Tensor, total: Tensor, count: Tensor) -> tuple[Tensor, ...]:
        """One row `[B,C]`; what earlier rows add to the convolution's answer after this row and the
        ones to come, `[B,K-1,2C]`; the sum of the answers `[B,2C]`; how many rows there are with
        this one `[B,1]`. Gives the row after the block, and the next of both.

        Nothing is summed along an axis: how the runtime orders such a sum depends on how many
        streams share the call, and then so would a stream's answer, in its last bits.
        """
        now = F.silu(self.expand(x))
        added = now[:, None] * self.taps.flip(0)  # after this row, after the next, ..
        h = due[:, 0] + added[:, 0] + self.bias
        due = F.pad(due[:, 1:], (0, 0, 0, 1)) + added[:, 1:]
        total = total + h
        h = h * self.gate((total / count)[:, None])[:, 0]
        return x + self.project(h), due, total


class Attention(nn.Module):
    """A transformer block over the last rows (Vaswani et al. 2017), normalised first."""

    def __init__(self, channels: int, drop: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels, bias=False)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.inner = nn.Linear(channels, WIDE * channels, bias=False)
        self.outer = nn.Linear(WIDE * channels, channels, bias=False)
        self.drop, self.drop2 = Dropping(drop), Dropping(drop)

    def parts(self, x: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values of rows `[..,C]`, each `[..,H,D]`."""
        qkv: Tensor = self.qkv(self.norm(x))
        parts: tuple[Tensor, ...] = qkv.unflatten(-1, (3, HEADS, -1)).unbind(dim=-3)
        return parts

    def fed(self, x: Tensor) -> Tensor:
        """The second half of the block."""
        out: Tensor = self.outer(F.silu(self.inner(self.norm2(x))))
        return out

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Clips `[B,T,C]`. `hidden [B or 1,1,T,T]` is true where a row may not look."""
        q, k, v = (part.transpose(1, 2) for part in self.parts(x))
        score = (q @ k.transpose(2, 3)) * q.shape[-1] ** -0.5
        share = score.float().masked_fill(hidden, -1e9).softmax(dim=-1).to(v.dtype)
        x = x + self.drop(self.out((share @ v).transpose(1, 2).flatten(2)))
        added: Tensor = self.drop2(self.fed(x))
        return x + added

    def step(self, x: Tensor, past: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        """One row `[B,C]`, keys and values of the rows before it `[B,2,H,SEEN-1,D]` and how many
        rows there are with this one: the row after the block, and the next such past."""
        q, k, v = self.parts(x)
        seen = torch.cat([past, torch.stack([k, v], dim=1)[..., None, :]], dim=3)
        there = torch.arange(SEEN, device=x.device) >= SEEN - count
        score = (q[:, :, None] @ seen[:, 0].transpose(2, 3)) * q.shape[-1] ** -0.5
        share = score.masked_fill(~there[:, None, None], -1e9).softmax(dim=-1)
        x = x + self.out((share @ seen[:, 1]).flatten(1))
        return x + self.fed(x), seen[:, :, :, 1:]


class Net(nn.Module):
    """Rows of a sign, `NaN` where missing, to logits and an embedding."""

    each: Tensor
    OTHERS = 1
    """Outputs, the last ones, that are no sign of the vocabulary."""

    def __init__(self, shape: Shape, drop: float = 0.1, late: float = 0.3) -> None:
        super().__init__()
        self.shape = shape
        c = shape.channels
        # Adds up x and y of all landmarks. See `ConvBlock.step`.
        each = torch.eye(2).repeat(shape.points, 1)
        self.register_buffer("each", each, persistent=False)
        self.stem = nn.Linear(6 * shape.points, c)
        self.convs = nn.ModuleList(ConvBlock(c, drop) for _ in range(shape.blocks))
        self.attentions = nn.ModuleList(Attention(c, drop) for _ in range(shape.blocks // 3))
        self.top = nn.Linear(c, shape.pooled)
        self.drop = nn.Dropout(late)
        self.classify = nn.Linear(shape.pooled, shape.labels)

    def layers(self) -> list[tuple[ConvBlock, Attention | None]]:
        """Convolutions in order, every third with the attention that follows it."""
        found = []
        for i, conv in enumerate(self.convs):
            attention = self.attentions[i // 3] if i % 3 == 2 else None
            assert isinstance(conv, ConvBlock)
            assert attention is None or isinstance(attention, Attention)
            found.append((conv, attention))
        return found

    def size(self) -> int:
        """Number of weights."""
        return sum(p.numel() for p in self.parameters())

    def points_of(self, rows: Tensor) -> Tensor:
        """The landmarks that the network sees, `[..,P,2]`."""
        found: Tensor = rows[..., : 2 * self.shape.points].unflatten(-1, (-1, 2))
        return found

    def stemmed(self, z: Tensor, d1: Tensor, d2: Tensor) -> Tensor:
        """Normalised landmarks and their changes over one row and over two, each `[..,P,2]`, to the
        first channels. What is missing is zero."""
        parts = [torch.nan_to_num(part).clamp(-MOST, MOST).flatten(-2) for part in (z, d1, d2)]
        out: Tensor = self.stem(torch.cat(parts, dim=-1))
        return out

    def forward(self, rows: Tensor, valid: Tensor) -> Tensor:
        """What clips are like as a whole, `[B,pooled]`: rows `[B,T,F]`, `valid [B,T]` 1 on those
        that are there."""
        return self.pooled(rows, valid)[torch.arange(len(rows)), valid.sum(dim=1).long() - 1]

    def pooled(self, rows: Tensor, valid: Tensor) -> Tensor:
        """What clips are like up to each row, `[B,T,pooled]`."""
        causal, mask = self.shape.causal, valid[..., None]
        p = self.points_of(rows)
        middle, spread = self.placing(p, valid)
        one, two = self.changes(p)
        x = self.stemmed((p - middle) / spread, one / spread, two / spread)
        hidden = self.hidden(valid)
        for conv, attention in self.layers():
            x = conv(x, mask, causal)
            if attention is not None:
                x = attention(x, hidden)
        x = self.top(x).float()
        return mean_so_far(x, mask) if causal else mean_of_clip(x, mask).expand_as(x)

    def changes(self, p: Tensor) -> tuple[Tensor, Tensor]:
        """How landmarks `[B,T,P,2]` changed since the row before and since the one before that."""
        t = p.shape[1]
        before = F.pad(p, (0, 0, 0, 0, 2, 0), value=float("nan"))
        return p - before[:, 1 : t + 1], p - before[:, :t]

    def placing(self, p: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Middle and spread of landmarks `[B,T,P,2]`, of the rows so far or of the clip, each
        `[B,T,1,2]`."""
        known = torch.isfinite(p) & (valid[..., None, None] > 0)
        x = torch.where(known, p, 0.0)
        known_centre = known[:, :, self.shape.centre, :1].to(x.dtype)
        sums = [
            known_centre,
            x[:, :, self.shape.centre],
            known[..., :1].sum(dim=2).to(x.dtype),
            x.sum(dim=2),
            (x * x).sum(dim=2),
        ]
        if self.shape.causal:
            sums = [each.cumsum(dim=1) for each in sums]
        else:
            sums = [each.sum(dim=1, keepdim=True) for each in sums]
        middle, spread = placed(*sums)
        return middle[:, :, None], spread[:, :, None]

    def hidden(self, valid: Tensor) -> Tensor:
        """Where a row may not look, `[B,1,T,T]`."""
        t = valid.shape[1]
        away = torch.arange(t, device=valid.device)[:, None] - torch.arange(t, device=valid.device)
        gone = (valid == 0)[:, None, None]
        if self.shape.causal:
            return gone | (away < 0) | (away >= SEEN)
        return gone.expand(-1, 1, t, t)

    def classified(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[..,K]` and unit-length embedding `[..,E]`."""
        return self.classify(self.drop(pooled)), F.normalize(pooled, dim=-1)

    def state_parts(self) -> list[tuple[int, ...]]:
        """Shapes of the parts of a stream's state: number of rows; of the lips' middle, how often
        seen and its sum; of all landmarks, how many, sum, sum of squares; the two rows before; of
        each convolution what is due and its sum; of each attention its past; the sum of all
        rows."""
        c, wide = self.shape.channels, WIDE * self.shape.channels
        return [
            (1,),
            (1,),
            (2,),
            (1,),
            (2,),
            (2,),
            (2, self.shape.points, 2),
            *[part for _ in self.convs for part in ((TAPS - 1, wide), (wide,))],
            *[(2, HEADS, SEEN - 1, c // HEADS) for _ in self.attentions],
            (self.shape.pooled,),
        ]

    def state_size(self) -> int:
        """Numbers in a stream's state."""
        return sum(torch.Size(part).numel() for part in self.state_parts())

    def step(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One row `[B,F]` of each of B streams and their states `[B,S]`: what the signs so far are
        like, `[B,pooled]`, and the next states. A zero state is the beginning of a sign."""
        shapes = self.state_parts()
        flat = state.split([torch.Size(part).numel() for part in shapes], dim=1)
        count, *old = (part.unflatten(1, of) for part, of in zip(flat, shapes, strict=True))
        *sums, before = old[:6]
        p = self.points_of(rows)
        known = torch.isfinite(p)
        x = torch.where(known, p, 0.0)
        seen = known[:, self.shape.centre, :1].to(x.dtype)
        new = [seen, x[:, self.shape.centre], known[..., 0].to(x.dtype) @ self.each[::2, :1]]
        new += [x.flatten(1) @ self.each, (x * x).flatten(1) @ self.each]
        sums = [a + b for a, b in zip(sums, new, strict=True)]
        middle, spread = placed(*sums)
        missing = torch.full_like(p, float("nan"))
        one = torch.where(count[..., None] >= 1, before[:, 1], missing)
        two = torch.where(count[..., None] >= 2, before[:, 0], missing)
        middle, spread = middle[:, None], spread[:, None]
        x = self.stemmed((p - middle) / spread, (p - one) / spread, (p - two) / spread)
        count = count + 1
        after = [count, *sums, torch.stack([before[:, 1], p], dim=1)]
        convolved, attended = [], []
        ends = 6 + 2 * len(self.convs)
        pasts, looked = iter(old[6:ends]), iter(old[ends:-1])
        for conv, attention in self.layers():
            x, past, total = conv.step(x, next(pasts), next(pasts), count)
            convolved += [past, total]
            if attention is not None:
                x, past = attention.step(x, next(looked), count)
                attended.append(past)
        total = old[-1] + self.top(x)
        after += [*convolved, *attended, total]
        return total / count, torch.cat([part.flatten(1) for part in after], dim=1)


def placed(
    seen: Tensor, centre: Tensor, known: Tensor, total: Tensor, squares: Tensor
) -> tuple[Tensor, Tensor]:
    """Middle and spread `[..,2]` of landmarks: how often the lips' middle is known and its sum, how
    many landmarks are known, their sum and that of their squares. The spread is the root of the
    mean squared distance from the middle, of each axis."""
    mouth = torch.tensor(MOUTH, dtype=centre.dtype, device=centre.device)
    middle = torch.where(seen > 0, centre / seen.clamp(min=1), mouth)
    known = known.clamp(min=1)
    variance = squares / known - 2 * middle * total / known + middle * middle
    return middle, variance.clamp(min=LEAST_SPREAD**2).sqrt()


def mean_so_far(x: Tensor, valid: Tensor) -> Tensor:
    """Of rows `[B,T,C]` the mean up to each. Summed in 32 bits."""
    return (x.float() * valid).cumsum(dim=1) / valid.cumsum(dim=1).clamp(min=1)


def mean_of_clip(x: Tensor, valid: Tensor) -> Tensor:
    """Of rows `[B,T,C]` the mean over the clip, `[B,1,C]`."""
    return (x.float() * valid).sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True)
