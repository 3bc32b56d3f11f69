from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from solon.feedback.made import fits, fitting
from solon.lm.protocols import OptionRequest, WriteRequest


def test_room_for_the_answer_counts_to_the_last_token(fake: Any) -> None:
    write = WriteRequest(prompt="x" * 10, seed=0, max_new_tokens=5)
    score = OptionRequest(prompt="x" * 10, options=(" (A)", " (long)"))
    assert fits(fake(context=15), write)
    assert not fits(fake(context=14), write)
    assert fits(fake(context=17), score)
    assert not fits(fake(context=16), score)


def test_a_model_that_does_not_know_its_context_takes_all() -> None:
    assert fits(object(), WriteRequest(prompt="x" * 10**6, seed=0, max_new_tokens=5))


@pytest.mark.parametrize(("context", "prompt"), [(17, "abbcccx"), (16, "abbx"), (13, "ax"), (12, "ax"), (11, "x")])
def test_as_many_examples_as_there_is_room_for(fake: Any, context: int, prompt: str) -> None:
    def build(shots: Sequence[str]) -> WriteRequest:
        return WriteRequest(prompt="".join(shots) + "x", seed=0, max_new_tokens=10)

    noted = Counter[str]()
    request = fitting(fake(context=context), build, ["a", "bb", "ccc"], noted)
    assert request is not None
    assert request.prompt == prompt
    assert +noted == ({} if len(prompt) == 7 else {"few-shot examples left out": {4: 1, 2: 2, 1: 3}[len(prompt)]})
    assert fitting(fake(context=10), build, ["a"], noted) is None
