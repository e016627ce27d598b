"""The network: one set of weights in three forms."""

import numpy as np
import pytest
import torch

from signd_models.features import spans
from signd_models.train.batching import masked, padded
from signd_models.train.blocks import CausalConv
from signd_models.train.net import Net, relations, remembered, shape_for
from signd_models.train.training import scale


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    made = Net(shape_for(5, channels=16, embedding=8, dilations=[1, 2]))
    for block in made.stack():  # a new block passes on what it is given
        torch.nn.init.normal_(block.mix.weight, std=0.3)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        scale(made, rng.normal(1, 2, (400, 245)).astype(np.float32), spans())
    return made.eval()


def rows(length: int) -> torch.Tensor:
    rng = np.random.default_rng(length)
    found = rng.normal(1, 2, (1, length, 245)).astype(np.float32)
    found[rng.random(found.shape) < 0.1] = np.nan
    return torch.from_numpy(found)


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 2, 7, 40])
def test_rows_one_by_one_give_what_the_whole_clip_gives(net: Net, length: int) -> None:
    clip = rows(length)
    logits, embedding = net.window(clip)
    state = torch.zeros(1, net.state_size())
    for t in range(length):
        a, b, state = net.step(clip[:, t], state)
    torch.testing.assert_close(a, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(b, embedding, atol=1e-5, rtol=0)
    assert embedding.norm().item() == pytest.approx(1.0, abs=1e-5)


@torch.no_grad()
def test_training_computes_the_same_whatever_is_beside_a_clip(net: Net) -> None:
    clips = [rows(length)[0].numpy() for length in (5, 30)]
    logits, _, _ = net(*padded(clips))
    for clip, together in zip(clips, logits, strict=True):
        alone, _ = net.window(torch.from_numpy(clip)[None])
        # In training the blocks compute in bfloat16, of 8 bits.
        torch.testing.assert_close(together, alone[0], atol=0.3, rtol=0)


def test_the_gradient_of_the_convolution_is_that_of_its_answer() -> None:
    x, weight, bias = (
        torch.randn(*size, dtype=torch.float64, requires_grad=True)
        for size in ((9, 3), (3, 3, 3), (3,))
    )
    assert torch.autograd.gradcheck(lambda *given: CausalConv.apply(*given, 2), (x, weight, bias))


def test_points_of_a_hand_are_relative_to_its_wrist() -> None:
    columns = spans("hand other lips")
    found = relations(columns)
    hand, other, lips = (columns[name].start for name in ("hand", "other", "lips"))
    assert found[hand + 2] == hand and found[hand + 41] == hand + 1
    assert found[hand] == lips and found[other + 1] == hand + 1
    assert lips not in found


def test_a_state_moves_on_by_one_row() -> None:
    met, moved = remembered([(3, 2)])
    # Rows 0 to 3 are of one to four rows ago; taps two and four rows ago are met, oldest first.
    assert (met, moved) == ([3, 1], [0, 1, 2])


def test_hidden_parts_are_whole_groups_or_whole_rows() -> None:
    columns, rng = spans(), np.random.default_rng(0)
    for _ in range(50):
        gone = np.isnan(masked(np.zeros((20, 245), np.float32), rng, columns))
        whole_rows = gone.all(axis=1)
        for where in columns.values():
            group = gone[~whole_rows][:, where]
            assert group.all() or not group.any()
