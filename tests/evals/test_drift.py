"""How alike answers are: the sums of the docstrings."""

from __future__ import annotations

import pytest

from solon.evals.drift import boilerplate, common_opening


def test_the_commonest_opening() -> None:
    texts = ["I can not help you", "i can not help him", "Sure, take a taxi home"]
    assert common_opening(texts) == pytest.approx(2 / 3)
    assert common_opening([]) == 0.0


def test_words_that_stand_in_answers_to_other_prompts() -> None:
    texts = ["a b c d e", "a b c d f"]
    assert boilerplate(texts, ["p", "q"]) == 0.5
    assert boilerplate(texts, ["p", "p"]) == 0.0
    assert boilerplate([*texts, "x y z w"], ["p", "q", "r"]) == pytest.approx(1 / 3)
    assert boilerplate(["", "a b c d e"], ["p", "q"]) == 0.0 == boilerplate([], [])
