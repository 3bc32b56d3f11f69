from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from solon.errors import EngineUnavailableError, GarbledError, RefusedError, TimedOutError
from solon.lm.engines.faulty import GARBAGE, FaultyModel, Mishap
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import Completion, Sampling
from solon.prompting.context import Context


def complete(model: FaultyModel, seed: int = 0) -> Completion:
    return asyncio.run(model.complete(Context(prefill="p"), Sampling(), seed=seed))


def faulty(*mishaps: Mishap, every: int = 1) -> FaultyModel:
    return FaultyModel(ScriptedModel(lambda request: "Yes."), *mishaps, every=every)


@pytest.mark.parametrize(
    ("mishap", "error"),
    [
        ("timeout", TimedOutError),
        ("refusal", RefusedError),
        ("garbled", GarbledError),
        ("down", EngineUnavailableError),
    ],
)
def test_no_reply(mishap: Mishap, error: Any) -> None:
    with pytest.raises(error):
        complete(faulty(mishap))


def test_bad_replies() -> None:
    assert complete(faulty("garbage")).text == GARBAGE
    assert complete(faulty("empty")).text == ""
    assert complete(faulty("truncated")).truncated
    assert complete(faulty("late")) == complete(faulty())


def test_bad_scores() -> None:
    def score(mishap: Mishap) -> tuple[float, ...]:
        return asyncio.run(faulty(mishap).score(Context(prefill="p"), (" (A)", " (B)"))).logprobs

    assert score("no logprobs") == ()
    assert all(map(math.isnan, score("no numbers")))


def test_one_request_in_n_always_the_same() -> None:
    hit = [seed for seed in range(900) if not complete(faulty("empty", every=9), seed).text]
    assert hit == [seed for seed in range(900) if not complete(faulty("empty", every=9), seed).text]
    assert 70 < len(hit) < 130
    kinds = {complete(faulty("empty", "garbage", every=3), seed).text for seed in range(60)}
    assert kinds == {"", GARBAGE, "Yes."}
