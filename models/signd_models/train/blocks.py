"""Causal convolutions over time: one block in the three forms that the network has.

`forward` takes batches of clips, in training. `window` takes one whole clip, `step` one row of each
of many streams. All three are the same weights and the same numbers.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        """One moment `[B,C]` and the earlier ones that the taps meet, `[B,(K-1)*C]`, to the moment
        after this block and what the past will know of it."""
        now = self.normed(x)
        taps = torch.cat([past, now], dim=1)
        y = F.linear(taps, self.weight.flatten(0, 1).t(), self.bias)
        return x + self.mixed(y), now
