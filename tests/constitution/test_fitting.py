"""Which articles of a document fit: the constraints always, then turns of the ranks, nearest first."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.constitution.fitting import Fitter, Nearness, Selection, whole_question
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution

DOCUMENT = """\
# D

## Order of precedence

1. Safety
2. Truth

## Hard constraints

- Never kill.

## Left out

Be funny.

## Safety

### Fire

Water on flames.

### Knives

Blades cut people.

## Truth

### Lies

Tell no lies.

### Doubt

Say what you doubt.
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Constitution:
    path = tmp_path_factory.mktemp("d") / "d.md"
    path.write_text(DOCUMENT)
    return load_constitution(path)


def words(text: str) -> int:
    return len(text.split())


def chosen(document: Constitution, room: int, text: str) -> tuple[str, ...]:
    """With room for so many words of articles, titles included."""
    frame = Fitter(document, words).choose(math.inf, "")
    assert frame is not None
    own = sum(
        words(f"{one.title} {article.text}")
        for one, article in zip(document.principles, document.articles, strict=True)
    )
    found = Fitter(document, words).choose(words(frame.question) - own + room, text)
    return found.articles if found else ()


def test_all_are_shown_in_their_order_where_there_is_room(document: Constitution) -> None:
    found = Fitter(document, words).choose(math.inf, "anything")
    assert isinstance(found, Selection)
    assert found.articles == ("fire", "knives", "lies", "doubt", "left-out")
    assert found.left_out == ()
    assert "Fire\nWater on flames.\n\nKnives\nBlades cut people.\n\n" in found.question
    assert found.question.endswith(":\n- Never kill.")
    assert found.question == whole_question(document)


@pytest.mark.parametrize(
    ("room", "text", "expected"),
    [
        (4, "", ("fire",)),  # the first rank, and in it the first of the document
        (4, "He cut the bread with blades.", ("knives",)),  # the first rank, and in it the nearest
        (4, "lies", ("fire",)),  # a higher rank has a say before a nearer article of a lower one
        (8, "lies", ("fire", "lies")),
        (9, "I doubt that he lies, I say.", ("fire", "doubt")),
        (11, "lies", ("fire", "lies")),
        (12, "lies", ("fire", "lies", "left-out")),
        (8, "doubt", ("fire", "left-out")),  # `doubt` has five words, and is passed over
        (16, "blades lies", ("fire", "knives", "lies", "left-out")),
        (3, "", ()),
    ],
)
def test_ranks_take_turns(document: Constitution, room: int, text: str, expected: tuple[str, ...]) -> None:
    assert chosen(document, room, text) == expected


def test_nearness_is_bm25() -> None:
    """Of `tell no lies` and `tell jokes jokes jokes`, 3.5 words on average: of two articles one has `lies`, once."""
    nearness = Nearness({"a": "Tell no lies", "b": "Tell jokes, jokes, jokes"})
    short, long = (1.2 * (0.25 + 0.75 * length / 3.5) for length in (3, 4))
    assert nearness.to("LIES, lies!") == pytest.approx({"a": math.log(2) * 2.2 / (1 + short), "b": 0.0})
    assert nearness.to("jokes") == pytest.approx({"a": 0.0, "b": math.log(2) * 3 * 2.2 / (3 + long)})
    tell = math.log(1 + 0.5 / 2.5)
    assert nearness.to("tell") == pytest.approx({"a": tell * 2.2 / (1 + short), "b": tell * 2.2 / (1 + long)})
    assert nearness.to("of neither") == {"a": 0.0, "b": 0.0} and Nearness({}).to("x") == {}


def test_titles_count_as_near(tmp_path: Path) -> None:
    path = tmp_path / "d.md"
    path.write_text(
        "# D\n\n## Hard constraints\n\n- No.\n\n## Being kind\n\nHurt nobody.\n\n## Being honest\n\nTell no lies.\n"
    )
    assert chosen(load_constitution(path), 5, "Be honest with me.") == ("being-honest",)


@given(budget=st.integers(0, 200), text=st.text(max_size=30))
def test_the_question_is_never_longer_than_the_budget(document: Constitution, budget: int, text: str) -> None:
    found = Fitter(document, words).choose(budget, text)
    if found is None:
        return
    assert words(found.question) <= budget
    assert "- Never kill." in found.question
    assert found.articles
    assert {*found.articles, *found.left_out} == {one.id for one in document.articles}
    assert found == Fitter(document, words).choose(budget, text)
