from __future__ import annotations

import math

import numpy as np
import torch

from solon.lm.sampling import double_device, draw, uniforms


def draw_one(probabilities: list[float], uniform: float, temperature: float = 1.0) -> tuple[int, float]:
    logits = torch.tensor([probabilities]).log()
    token, logprob = draw(logits, torch.tensor([temperature]), torch.tensor([uniform], dtype=torch.float64))
    return int(token), float(logprob)


def test_worked_example() -> None:
    assert draw_one([0.2, 0.5, 0.3], 0.0)[0] == 0
    assert draw_one([0.2, 0.5, 0.3], 0.69)[0] == 1
    token, logprob = draw_one([0.2, 0.5, 0.3], 0.71)
    assert token == 2
    assert math.isclose(logprob, math.log(0.3), abs_tol=1e-6)


def test_temperature_reshapes_the_distribution_and_its_logprob() -> None:
    # 0.2, 0.8 at temperature 1/2: squares 0.04, 0.64 -> 1/17, 16/17
    token, logprob = draw_one([0.2, 0.8], 0.07, temperature=0.5)
    assert token == 1
    assert math.isclose(logprob, math.log(16 / 17), abs_tol=1e-6)
    assert draw_one([0.2, 0.8], 0.05, temperature=0.5)[0] == 0


def test_zero_temperature_is_greedy_whatever_the_uniform() -> None:
    for uniform in (0.0, 0.5, 0.999):
        token, logprob = draw_one([0.3, 0.4, 0.3], uniform, temperature=0.0)
        assert token == 1
        assert math.isclose(logprob, math.log(0.4), abs_tol=1e-6)
    assert draw_one([0.4, 0.4, 0.2], 0.9, temperature=0.0)[0] == 0


def test_impossible_tokens_are_never_drawn() -> None:
    largest = float(np.nextafter(1.0, 0.0))
    assert draw_one([0.0, 0.6, 0.4, 0.0], 0.0)[0] == 1
    assert draw_one([0.0, 0.6, 0.4, 0.0], largest)[0] == 2


def test_frequencies_follow_the_probabilities() -> None:
    rng = torch.Generator().manual_seed(0)
    probabilities = torch.rand(40, generator=rng)
    probabilities /= probabilities.sum()
    count = 40_000
    uniform = torch.rand(count, generator=rng, dtype=torch.float64)
    tokens, _ = draw(probabilities.log().expand(count, 40), torch.ones(count), uniform)
    share = tokens.bincount(minlength=40) / count
    assert float((share - probabilities).abs().max()) < 0.005


def test_rows_that_are_not_numbers_say_so() -> None:
    logits = torch.tensor([[0.0, float("nan")], [0.0, 1.0]])
    _, logprob = draw(logits, torch.ones(2), torch.full((2,), 0.5, dtype=torch.float64))
    assert torch.isnan(logprob).tolist() == [True, False]


def test_a_stream_belongs_to_its_seed_and_its_beginning_never_changes() -> None:
    assert np.array_equal(uniforms(7, 3), uniforms(7, 9)[:3])
    assert not np.array_equal(uniforms(7, 3), uniforms(8, 3))


def test_apples_gpus_have_no_float64_so_the_processor_adds_up() -> None:
    assert double_device(torch.device("mps")) == torch.device("cpu")
    for name in ("cpu", "cuda:1"):
        assert double_device(torch.device(name)) == torch.device(name)
