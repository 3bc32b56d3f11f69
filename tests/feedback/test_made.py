from __future__ import annotations

from typing import Any

from solon.feedback.made import fits
from solon.lm.protocols import OptionRequest, WriteRequest


def test_room_for_the_answer_counts_to_the_last_token(fake: Any) -> None:
    write = WriteRequest(prompt="x" * 10, seed=0, max_new_tokens=5)
    score = OptionRequest(prompt="x" * 10, options=(" (A)", " (long)"))
    assert fits(fake(context=15), [write]) == [True]
    assert fits(fake(context=14), [write]) == [False]
    assert fits(fake(context=17), [score, write]) == [True, True]
    assert fits(fake(context=16), [score, write]) == [False, True]


def test_a_model_that_does_not_know_its_context_takes_all() -> None:
    assert fits(object(), [WriteRequest(prompt="x" * 10**6, seed=0, max_new_tokens=5)]) == [True]
