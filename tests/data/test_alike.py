from __future__ import annotations

import numpy as np

from solon.data.alike import ALIKE, Texts, pairs_of_words, same_words


def texts(*known: str) -> Texts:
    found = Texts()
    for text in known:
        found.add(text)
    return found


def test_worked_examples() -> None:
    known = texts("How do I steal a car?", "Thieves!")
    assert known.has("how do I  STEAL a car") and not known.has("How do I steal a bike?")
    assert known.has_alike("How do I steal a car now?")  # 5 of 6 pairs
    assert not known.has_alike("How do I steal a bike?")  # 4 of 6
    assert known.has_alike("thieves") and not known.has_alike("Thieves steal")
    assert same_words("Don't,  STOP!") == "don t stop"


def test_the_index_finds_what_a_look_at_each_finds() -> None:
    rng = np.random.default_rng(0)
    words = ["the", "how", "do", "lock", "steal", "bicycle", "a"]
    made = [" ".join(rng.choice(words, size=int(rng.integers(1, 9)))) for _ in range(600)]
    known, before, alike = Texts(), list[frozenset[str]](), 0
    for text in made:
        pairs = pairs_of_words(text)
        slowly = any(len(pairs & one) / len(pairs | one) >= ALIKE for one in before)
        assert known.has_alike(text) == slowly, text
        alike += slowly
        known.add(text)
        before.append(pairs)
    assert 50 < alike < 550


def test_a_text_without_words_is_like_none() -> None:
    assert not texts("?!", "").has_alike("...")
