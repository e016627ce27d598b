"""The tagger, with the weights and answers that the daemon's own test of it has."""

import base64
import json

import numpy as np
import pytest
import torch

from signd_models.arrays import Random
from signd_models.train import tagger as module
from signd_models.train.fit_tagger import CHUNK, batches, usual
from signd_models.train.lessons import Lesson
from signd_models.train.tagger import DELAY, Tagger, written

UNITS = 3
ROWS = [[0.1, 0.2], [0.15, np.nan], [9.0, 0.3], [0.2, 0.31]]
ANSWERS = [
    [0.3334624, 0.4436595],
    [0.2593718, 0.3963059],
    [0.2093287, 0.3678242],
    [0.3211609, 0.4747788],
]


@pytest.fixture
def tagger(monkeypatch: pytest.MonkeyPatch) -> Tagger:
    """Two columns, three units, weights by a rule."""
    monkeypatch.setattr(module, "HIDDEN", UNITS)
    made = Tagger(2)
    weights = np.array([((i * 37 % 29) - 14) / 20 for i in range(111)], np.float32)
    weights[2:4] = 2.0, 0.5
    gru, at = dict(made.gru.named_parameters()), 0
    with torch.no_grad():
        for part, turned in [
            (made.mean, False), (made.scale, False),
            (gru["weight_ih_l0"], True), (gru["weight_hh_l0"], True),
            (gru["bias_ih_l0"], False), (gru["bias_hh_l0"], False),
            (made.head.weight, False), (made.head.bias, False),
        ]:  # fmt: skip
            values = torch.from_numpy(weights[at : at + part.numel()].copy())
            shape = part.shape[::-1] if turned else part.shape
            part.copy_(values.reshape(shape).t() if turned else values.reshape(shape))
            at += part.numel()
    assert at == 111
    return made


def test_it_answers_as_the_daemon_does(tagger: Tagger) -> None:
    with torch.no_grad():
        found = torch.sigmoid(tagger(torch.tensor([ROWS])))[0]
    np.testing.assert_allclose(found.numpy(), ANSWERS, atol=1e-5)


def test_it_is_written_as_the_daemon_reads_it(tagger: Tagger) -> None:
    told = json.loads(written(tagger, [1, 3], 0.9))
    assert (told["columns"], told["hidden"], told["usual"]) == ([1, 3], UNITS, 0.9)
    flat = np.frombuffer(base64.b64decode(told["weights"]), "<f4")
    rule = np.array([((i * 37 % 29) - 14) / 20 for i in range(111)], np.float32)
    rule[2:4] = 2.0, 0.5
    np.testing.assert_array_equal(flat, rule)


def lesson(rng: Random, length: int) -> Lesson:
    times = np.arange(length) / 30
    y = ((times >= 2.0) & (times <= 3.0)).astype(np.float32)
    x = rng.normal(0, 1, (length, 2)).astype(np.float32)
    return Lesson(x, y, times, 0, "wlasl train", 30.0, False, "n", [(2.0, 3.0)])


def test_the_second_answer_is_of_the_row_a_delay_before(rng: Random) -> None:
    one = lesson(rng, 2 * CHUNK)
    rows = {tuple(row): i for i, row in enumerate(one.x.tolist())}
    for x, y, w in batches([one], 4, rng):
        for chunk, answers, weight in zip(x.tolist(), y.tolist(), w[..., 0].tolist(), strict=True):
            for row, (now, then), counts in zip(chunk, answers, weight, strict=True):
                if counts:
                    i = rows[tuple(row)]
                    assert now == one.y[i]
                    assert then == (one.y[i - DELAY] if i >= DELAY else 0.0)


def test_what_it_usually_gives_a_sign_is_a_probability(tagger: Tagger, rng: Random) -> None:
    assert 0.0 < usual(tagger, [lesson(rng, 200)]) < 1.0
