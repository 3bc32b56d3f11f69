from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from solon.lm import sampling
from solon.lm.protocols import SampleRequest, Sampling
from solon.lm.sampling import Draws, double_device, uniforms

CPU = torch.device("cpu")
FILTERS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.6},
    {"min_p": 0.2},
    {"temperature": 1.7, "top_k": 20, "top_p": 0.8, "min_p": 0.05},
    {"temperature": 0.4, "top_p": 0.95},
    {"top_k": 300, "top_p": 0.99},
]


def request(seed: int = 0, *, tokens: int = 4, **how: Any) -> SampleRequest:
    return SampleRequest(prompt="", seed=seed, max_new_tokens=tokens, **how)


def draws(uniform_B: Tensor, **how: Any) -> Draws:
    """Rows that draw in the same way, each its first token with a uniform of its own."""
    made = Draws.of([request(tokens=1, **how)] * len(uniform_B), CPU)
    made.uniform_BT[:, 0] = uniform_B
    return made


def draw_one(probabilities: list[float], uniform: float, **how: Any) -> tuple[int, float]:
    logits = torch.tensor([probabilities]).log()
    token, logprob = draws(torch.tensor([uniform]), **how).draw(logits, 0)
    return int(token), float(logprob)


def theirs(logits: Tensor, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0) -> Tensor:
    """The probabilities by transformers' processors, in the order of its `generate`."""
    processors = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    processors += [TopKLogitsWarper(top_k)] if top_k else []
    processors += [TopPLogitsWarper(top_p)] if top_p < 1 else []
    processors += [MinPLogitsWarper(min_p)] if min_p else []
    found: Tensor = processors(torch.zeros(len(logits), 1, dtype=torch.long), logits.double())
    return found.softmax(dim=-1)


def logits_of(rows: int, vocabulary: int, *, spread: float = 3.0) -> Tensor:
    return torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(rows + vocabulary)) * spread


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


@pytest.mark.parametrize(
    ("how", "uniform", "token", "probability"),
    [
        ({"top_k": 2}, 0.62, 1, 0.5 / 0.8),
        ({"top_k": 2}, 0.63, 2, 0.3 / 0.8),
        ({"top_k": 3}, 0.69, 1, 0.5),
        ({"top_p": 0.4}, 0.99, 1, 1.0),
        ({"top_p": 0.6}, 0.63, 2, 0.3 / 0.8),  # 0.5 falls short, so the token that reaches 0.6 is kept
        ({"top_p": 0.81}, 0.19, 0, 0.2),
        ({"min_p": 0.5}, 0.63, 2, 0.3 / 0.8),  # at least half of 0.5
        ({"min_p": 0.7}, 0.99, 1, 1.0),
        # Half the temperature squares them: 0.04, 0.25, 0.09 of 0.38; the second has 0.66, the third is 0.36 times it.
        ({"temperature": 0.5, "top_p": 0.6}, 0.99, 1, 1.0),
        ({"temperature": 0.5, "min_p": 0.5}, 0.99, 1, 1.0),
        # 0.5 and 0.3 renormalized are 0.625 and 0.375: the first alone reaches 0.6. The other way round it would not.
        ({"top_k": 2, "top_p": 0.6}, 0.99, 1, 1.0),
    ],
)
def test_worked_filters(how: dict[str, Any], uniform: float, token: int, probability: float) -> None:
    found, logprob = draw_one([0.2, 0.5, 0.3], uniform, **how)
    assert found == token
    assert math.isclose(logprob, math.log(probability), abs_tol=1e-6)


def test_min_p_comes_after_top_p() -> None:
    # Before it, 0.2 and 0.1 would be gone: 0.4 and 0.3 renormalized are 0.57 and 0.43, and 0.4 alone would reach 0.5.
    probabilities, how = [0.4, 0.3, 0.2, 0.1], {"top_p": 0.5, "min_p": 0.6}
    token, logprob = draw_one(probabilities, 0.6, **how)
    assert (token, math.isclose(logprob, math.log(3 / 7), abs_tol=1e-6)) == (1, True)


def test_what_is_as_likely_as_the_last_is_kept_too() -> None:
    for how in ({"top_k": 2}, {"top_p": 0.5}):
        assert math.isclose(draw_one([0.4, 0.25, 0.25, 0.1], 0.99, **how)[1], math.log(0.25 / 0.9), abs_tol=1e-6)


@pytest.mark.parametrize("how", FILTERS, ids=str)
@pytest.mark.parametrize("vocabulary", [30, 900, 5000])
def test_support_and_probabilities_are_those_of_transformers(vocabulary: int, how: dict[str, Any]) -> None:
    """Every probability, by asking for each token: a uniform in its part of the distribution draws it."""
    logits = logits_of(1, vocabulary)
    probabilities = theirs(logits, **how)[0]
    support = probabilities.nonzero()[:, 0]
    middles = (probabilities.cumsum(0) - probabilities / 2)[support]
    tokens, logprobs = draws(middles, **how).draw(logits.expand(len(support), -1), 0)
    wide = probabilities[support] > 1e-5  # rounding to float32 may push a middle out of a narrower part
    assert torch.equal(tokens[wide], support[wide])
    torch.testing.assert_close(logprobs[wide].double().exp(), probabilities[support][wide], rtol=1e-4, atol=0)
    drawn, _ = draws(torch.linspace(0, 1 - 1e-9, 2000), **how).draw(logits.expand(2000, -1), 0)
    assert set(drawn.tolist()) <= set(support.tolist())


@pytest.mark.parametrize("how", FILTERS, ids=str)
def test_frequencies_follow_the_probabilities(how: dict[str, Any]) -> None:
    """Pearson's chi-square against the exact distribution stays below its mean plus four standard deviations."""
    count, logits = 40_000, logits_of(1, 60, spread=1.0)
    uniform = torch.rand(count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    tokens, logprobs = draws(uniform, **how).draw(logits.expand(count, -1), 0)
    expected = theirs(logits, **how)[0] * count
    seen, kept = tokens.bincount(minlength=60).double(), expected > 0
    assert not bool(seen[~kept].any())
    chi_square = float(((seen - expected)[kept] ** 2 / expected[kept]).sum())
    freedom = int(kept.sum()) - 1
    assert chi_square < freedom + 4 * math.sqrt(2 * freedom) + 1e-9
    torch.testing.assert_close(logprobs.double().exp() * count, expected[tokens], rtol=1e-4, atol=0)


def test_the_likeliest_token_alone_is_greedy() -> None:
    logits, uniform = logits_of(50, 5000), torch.linspace(0, 0.999, 50)
    greedy, _ = draws(uniform, temperature=0.0).draw(logits, 0)
    for how in ({"top_k": 1}, {"top_p": 1e-9}, {"min_p": 1.0}):
        tokens, logprobs = draws(uniform, **how).draw(logits, 0)
        assert torch.equal(tokens, greedy)
        assert float(logprobs.abs().max()) < 1e-6


def test_filters_that_are_off_change_nothing() -> None:
    logits, uniform = logits_of(50, 5000), torch.linspace(0, 0.999, 50)
    plain = draws(uniform, temperature=0.9).draw(logits, 0)
    for how in ({"top_k": 0, "top_p": 1.0, "min_p": 0.0}, {"top_k": 5000}, {"top_p": 1 - 1e-12}, {"min_p": 1e-30}):
        tokens, logprobs = draws(uniform, temperature=0.9, **how).draw(logits, 0)
        assert torch.equal(tokens, plain[0])
        torch.testing.assert_close(logprobs, plain[1])


def test_zero_temperature_is_greedy_whatever_uniform_and_filters_say() -> None:
    for uniform in (0.0, 0.5, 0.999):
        token, logprob = draw_one([0.3, 0.4, 0.3], uniform, temperature=0.0, top_k=2, top_p=0.5, min_p=0.9)
        assert token == 1
        assert math.isclose(logprob, math.log(0.4), abs_tol=1e-6)
    assert draw_one([0.4, 0.4, 0.2], 0.9, temperature=0.0)[0] == 0


@pytest.mark.parametrize("small", [0, 4096])
def test_impossible_tokens_are_never_drawn(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SMALL", small)
    largest = float(np.nextafter(1.0, 0.0))
    assert draw_one([0.0, 0.6, 0.4, 0.0], 0.0)[0] == 1
    assert draw_one([0.0, 0.6, 0.4, 0.0], largest)[0] == 2
    assert draw_one([0.3, 0.6, 0.4, 0.2], largest, top_k=2)[0] == 2


@pytest.mark.parametrize("vocabulary", [4097, 4096, 129, 128, 127, 1])
def test_sums_by_blocks_draw_the_tokens_of_one_running_sum(vocabulary: int, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = logits_of(300, vocabulary)
    uniform = torch.rand(300, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    uniform[:2] = torch.tensor([0.0, float(np.nextafter(1.0, 0.0))])
    found = []
    for small in (0, 10_000):
        monkeypatch.setattr(sampling, "SMALL", small)
        found.append(draws(uniform).draw(logits, 0))
    assert torch.equal(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])


@pytest.mark.parametrize("how", FILTERS[2:], ids=str)
def test_candidates_are_enough_or_more_are_taken(how: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    logits = logits_of(20, 1000)
    logits[:, :400] = logits[:, :1]  # many that are equally likely
    uniform = torch.linspace(0, 0.999, 20)
    tokens, logprobs = draws(uniform, **how).draw(logits, 0)
    monkeypatch.setattr(sampling, "CANDIDATES", 2)
    few = draws(uniform, **how).draw(logits, 0)
    assert torch.equal(few[0], tokens)
    torch.testing.assert_close(few[1], logprobs)


def test_a_row_draws_the_same_alone_as_beside_others_at_other_steps() -> None:
    asked = [request(seed, tokens=3 + seed, **how) for seed, how in enumerate(FILTERS)]
    logits = logits_of(len(asked), 700)
    step = torch.tensor([seed % 3 for seed in range(len(asked))])
    together, logprobs = Draws.of(asked, CPU).draw(logits, step)
    for row, one in enumerate(asked):
        token, logprob = Draws.of([one], CPU).draw(logits[row : row + 1], row % 3)
        assert int(token) == int(together[row])
        assert math.isclose(float(logprob), float(logprobs[row]), abs_tol=1e-6)


def test_rows_leave_and_enter() -> None:
    asked = [request(seed, tokens=3 + seed, temperature=float(seed % 2), top_k=seed) for seed in range(6)]
    logits = logits_of(6, 50)
    whole, first = Draws.of(asked, CPU), Draws.of(asked[:2], CPU)
    joined = first.join(Draws.of(asked[2:], CPU))
    assert torch.equal(joined.draw(logits, 1)[0], whole.draw(logits, 1)[0])
    rows = [4, 0, 3]
    assert torch.equal(whole.keep(rows).draw(logits[rows], 2)[0], whole.draw(logits, 2)[0][rows])


def test_a_request_is_drawn_as_its_sampling_says() -> None:
    how = Sampling(max_new_tokens=7, temperature=0.3, top_k=4, top_p=0.9, min_p=0.02)
    made = SampleRequest.of("p", how, seed=5, stop=("x",))
    told = {"temperature": 0.3, "top_k": 4, "top_p": 0.9, "min_p": 0.02}
    assert made == SampleRequest(prompt="p", seed=5, stop=("x",), max_new_tokens=7, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{}, {"top_p": 0.5}, {"top_k": 1}, {"min_p": 0.1}], ids=str)
def test_rows_that_are_not_numbers_say_so(how: dict[str, Any]) -> None:
    logits = torch.tensor([[0.0, float("nan")], [0.0, 1.0]])
    _, logprob = draws(torch.full((2,), 0.5), **how).draw(logits, 0)
    assert torch.isnan(logprob).tolist() == [True, False]


def test_a_stream_belongs_to_its_seed_and_its_beginning_never_changes() -> None:
    assert np.array_equal(uniforms(7, 3), uniforms(7, 9)[:3])
    assert not np.array_equal(uniforms(7, 3), uniforms(8, 3))


def test_apples_gpus_have_no_float64_so_the_processor_adds_up() -> None:
    assert double_device(torch.device("mps")) == torch.device("cpu")
    for name in ("cpu", "cuda:1"):
        assert double_device(torch.device(name)) == torch.device(name)
