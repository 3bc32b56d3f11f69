from __future__ import annotations

import pytest

from solon.text import did_you_mean, duration, excerpt, fill, listed, printable


def test_printable_keeps_words_and_newlines() -> None:
    assert printable("é 漢 🙂 👩\u200d🚀\nb") == "é 漢 🙂 👩\u200d🚀\nb"
    assert printable("a\x1b[31mb\x00\u2028") == "a\\x1b[31mb\\x00\\u2028"


def test_what_is_printable_can_be_encoded() -> None:
    assert printable("a\ud800b").encode() == b"a\\ud800b"


def test_an_excerpt_is_short_and_can_be_encoded() -> None:
    assert excerpt("a" * 100) == "a" * 100
    assert excerpt("a" * 101) == "a" * 100 + "..."
    assert excerpt("\udcffabc", most=7) == "\\udcffa..."


def test_fields_are_filled_in_one_pass() -> None:
    assert fill("{a} and {b}", a="{b}", b="{x} {") == "{b} and {x} {"
    with pytest.raises(KeyError):
        fill("{a}", b="")


def test_the_nearest_known_word_is_a_hint() -> None:
    assert did_you_mean("wieght", ["weight", "text"]) == "did you mean `weight`?"
    assert did_you_mean("zzz", ["weight", "text"]) is None
    assert listed(["a", "b c"]) == "`a`, `b c`"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (12, "12 s"), (214, "3 min 34 s"), (59.7, "1 min 0 s"), (7260, "2 h 1 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
