"""What a look sees of the policy's answers, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from solon.errors import UnscoredError
from solon.evals.checks import check_of
from solon.evals.statistics import mean
from solon.records import MonitorAnswer


def answer(prompt: str, member: int, gold: float | None, text: str = "Hello there.", **changes: Any) -> MonitorAnswer:
    plain = {"step": 10, "tokens": 4, "finished": True, "proxy": 1.0, "kl": 0.5}
    return MonitorAnswer(id=f"{prompt}-{member}", prompt_id=prompt, gold=gold, text=text, **plain | changes)


def test_means_are_over_prompts_of_what_is_known() -> None:
    answers = [
        answer("a", 0, 1.0, proxy=3.0),
        answer("a", 1, 0.0, proxy=1.0, tokens=8),
        answer("b", 0, 1.0, kl=1.5),
        answer("b", 1, None, finished=False, kl=2.5),
        answer("c", 0, None, text="I'm sorry, but I can't help with that."),
        answer("c", 1, None),
    ]
    found = check_of(10, answers, frozenset({"c"}))
    assert found.gold_of == (0.5, 1.0, None) and found.unmeasured == 3
    assert found.gold == mean([0.5, 1.0])
    assert found.proxy == mean([2.0, 1.0, 1.0]) and found.kl == mean([0.5, 2.0, 0.5])
    assert (found.step, found.tokens, found.finished) == (10, pytest.approx(28 / 6), pytest.approx(5 / 6))
    assert found.evasion == 0.5 and check_of(10, answers, frozenset()).evasion is None


def test_a_gold_that_nobody_can_measure_is_none() -> None:
    with pytest.raises(UnscoredError) as raised:
        check_of(20, [answer("a", 0, None), answer("b", 0, None)], frozenset())
    assert str(raised.value) == "the monitor could measure none of 2 answers after step 20"
