"""The network: one set of weights in two forms, and what it begins with."""

from typing import Any

import numpy as np
import pytest
import torch

from signd_models.features import POINTS
from signd_models.train.net import SEEN, CausalConv, Net, Shape, placed
from signd_models.train.peer import Peer, warm_start
from signd_models.train.views import TwoViews

WIDTH = 2 * POINTS + 12


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    made = Net(Shape(6, channels=16, pooled=24, blocks=3))
    for conv, _ in made.layers():
        torch.nn.init.normal_(conv.attend, std=0.3)
    return made.eval()


def rows(length: int) -> torch.Tensor:
    rng = np.random.default_rng(length)
    found = rng.normal(0, 0.5, (1, length, WIDTH)).astype(np.float32)
    found[rng.random(found.shape) < 0.1] = np.nan
    found[:, : length // 3] = np.nan  # it begins before anything is seen
    return torch.from_numpy(found)


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 2, 7, SEEN + 30])
def test_rows_one_by_one_give_what_the_whole_clip_gives(net: Net, length: int) -> None:
    clip, views = rows(length), TwoViews(net)
    logits, embedding = views.window(clip)
    state = torch.zeros(1, views.state_size())
    for t in range(length):
        a, b, state = views.step(clip[:, t], state)
    torch.testing.assert_close(a, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(b, embedding, atol=1e-5, rtol=0)
    assert embedding.norm().item() == pytest.approx(1.0, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("causal", [True, False])
def test_a_clip_is_told_the_same_whatever_is_beside_it(causal: bool) -> None:
    net = Net(Shape(6, causal=causal, channels=16, pooled=24, blocks=3)).eval()
    short, long = rows(5), rows(30)
    both = torch.full((2, 30, WIDTH), torch.nan)
    both[0, :5], both[1] = short[0], long[0]
    valid = torch.zeros(2, 30)
    valid[0, :5], valid[1] = 1, 1
    together = net(both, valid)
    for clip, found in ((short, together[0]), (long, together[1])):
        alone = net(clip, torch.ones(clip.shape[:2]))[0]
        torch.testing.assert_close(found, alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_comes_later_changes_no_earlier_answer(net: Net) -> None:
    clip = rows(40)
    other = clip.clone()
    other[:, 25:] += 1
    one, two = (net.pooled(each, torch.ones(1, 40))[:, :25] for each in (clip, other))
    torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


@torch.no_grad()
def test_where_and_how_near_the_signer_stands_makes_no_difference(net: Net) -> None:
    clip = rows(20)
    clip[:, :, 2 * net.shape.centre :][..., :2] = 0.1  # the lips are seen
    moved = clip * torch.tensor([1.3, 0.7]).repeat(WIDTH // 2) + 0.4
    one, two = (net(each, torch.ones(1, 20)) for each in (clip, moved))
    torch.testing.assert_close(one, two, atol=1e-3, rtol=0)


def test_the_gradient_of_the_convolution_is_that_of_its_answer() -> None:
    x, taps = (
        torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in ((2, 9, 3), (4, 3))
    )
    assert torch.autograd.gradcheck(CausalConv.apply, (x, taps))


def test_middle_and_spread_are_those_of_the_landmarks() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0], [2.0, 1.0]])
    middle, spread = placed(
        torch.tensor([1.0]), x[0], torch.tensor([3.0]), x.sum(0), (x * x).sum(0)
    )
    torch.testing.assert_close(middle, x[0])
    torch.testing.assert_close(spread, ((x - x[0]) ** 2).mean(0).sqrt())


@torch.no_grad()
def test_it_begins_with_what_the_public_network_says_two_rows_before() -> None:
    torch.manual_seed(1)
    sizes: dict[str, Any] = {"causal": False, "channels": 16, "pooled": 24, "blocks": 3}
    peer, net = Peer(Shape(250, **sizes)), Net(Shape(251, **sizes))
    warm_start(net, peer)
    p = torch.randn(1, 12, POINTS, 2)
    ahead, behind = (each.stemmed(p, *each.changes(p)) for each in (peer, net))
    torch.testing.assert_close(behind[:, 2:], ahead[:, :-2], atol=1e-5, rtol=0)
    assert torch.equal(net.classify.weight[:250], peer.classify.weight)
    assert not net.classify.weight[250].any(), "it begins without a word for no sign"


@torch.no_grad()
def test_the_second_view_does_not_see_the_other_hand(net: Net) -> None:
    views, clip = TwoViews(net), rows(9)
    first, second = views.views(clip)
    assert torch.isnan(second[:, 42:84]).all()
    torch.testing.assert_close(first[:, :42], second[:, :42], equal_nan=True)
    torch.testing.assert_close(first[:, 84:], second[:, 84:], equal_nan=True)
