from __future__ import annotations

import pytest
from transformers.convert_slow_tokenizer import bytes_to_unicode

from solon.lm.stops import TextOf, first_stop
from tiny_models import END, tiny_tokenizer


@pytest.fixture
def text_of() -> TextOf:
    return TextOf(tiny_tokenizer(), 384)


@pytest.mark.parametrize("stop", ["\n\nHuman:", "(A)", "e", "ß", "☃", "x\n", " the "])
def test_the_completing_token_is_always_a_candidate(text_of: TextOf, stop: str) -> None:
    """However the text is cut into tokens, the one that completes the stop string is marked."""
    tokenizer = tiny_tokenizer()
    for text in (f"so{stop}", f"so{stop} and more", f"{stop}{stop}"):
        _assert_caught(text_of, tokenizer.encode(text), stop)
        signs = bytes_to_unicode()
        _assert_caught(text_of, [tokenizer.convert_tokens_to_ids(signs[byte]) for byte in text.encode()], stop)


def _assert_caught(text_of: TextOf, ids: list[int], stop: str) -> None:
    for count in range(1, len(ids) + 1):
        if stop in text_of.decode(ids[:count]):
            assert text_of.completing((stop,))[ids[count - 1]]
            return
    raise AssertionError("the text never held the stop string")


def test_few_tokens_are_candidates(text_of: TextOf) -> None:
    marked = text_of.completing(("\n\nHuman:", "\n\nAssistant:"))
    broken = sum("\ufffd" in text_of.decode([token]) for token in range(384))
    assert 0 < marked.sum() - broken < 10


def test_first_stop_is_the_earliest_of_all() -> None:
    assert first_stop("one two three", ["three", "two"]) == 4
    assert first_stop("one", ["two"]) is None
    assert first_stop("one", []) is None


def test_clean_removes_special_tokens_half_characters_and_space(text_of: TextOf) -> None:
    tokenizer = tiny_tokenizer()
    ids = tokenizer.encode(f" snow ☃{END} and") + tokenizer.encode("☃")[:1]
    assert text_of.clean(ids, text_of.decode(ids)) == "snow ☃ and"


def test_a_thought_is_no_part_of_the_answer(text_of: TextOf) -> None:
    assert text_of.clean([], " <think>hm\n</think>\n\nYes.") == "Yes."
    assert text_of.clean([], "<think>never closed") == ""
    assert text_of.clean([], "Yes <think>hm</think>") == "Yes <think>hm</think>"
