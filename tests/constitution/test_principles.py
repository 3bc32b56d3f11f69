from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from solon.constitution.principles import Article, Constitution, Principle, draw
from solon.errors import ConstitutionError
from solon.seeds import generator

BOTH = Principle(
    id="both", title="Both", critique_request="What?", revision_request="Mend it.", comparison_question="Which?"
)
PAIR = Principle(id="pair", title="Pair", critique_request="What?", revision_request="Mend it.", tags=("law",))
ASKS = Principle(id="asks", title="Asks", comparison_question="Which?", tags=("law", "style"))
THREE = Constitution(name="three", title="Three", principles=(BOTH, PAIR, ASKS))


def test_each_stage_draws_from_what_has_its_texts() -> None:
    assert THREE.critique_principles() == (BOTH, PAIR)
    assert THREE.comparison_principles() == (BOTH, ASKS)


@pytest.mark.parametrize(
    ("select", "expected"), [(["pair"], (PAIR,)), (["law"], (PAIR,)), (["pair", "both"], (BOTH, PAIR))]
)
def test_selection_by_id_or_tag_keeps_the_order_of_the_constitution(
    select: list[str], expected: tuple[Principle, ...]
) -> None:
    assert THREE.critique_principles(select) == expected


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConstitutionError) as caught:
        THREE.comparison_principles(["law", "stile"])
    assert str(caught.value) == (
        "constitution `three` has no principle or tag `stile` "
        "(did you mean `style`?; known are `asks`, `both`, `law`, `pair`, `style`)"
    )


def test_a_selection_without_the_right_texts_is_an_error() -> None:
    with pytest.raises(ConstitutionError, match="`three` has no comparison question among `pair`"):
        THREE.comparison_principles(["pair"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "has no texts"),
        ({"critique_request": "a"}, "half a pair: `revision_request` is missing"),
        ({"revision_request": "a"}, "half a pair: `critique_request` is missing"),
        ({"comparison_question": " \n"}, "is empty"),
        ({"comparison_question": "a", "weight": 0.0}, "greater than 0"),
        ({"comparison_question": "a", "weight": float("inf")}, "finite"),
        ({"comparison_question": "a", "tags": ("two words",)}, "one word"),
        ({"comparison_question": "Look:\n\nHuman: hello"}, "begins with `Human:`"),
        ({"comparison_question": "a", "extra": 1}, "Extra inputs"),
    ],
)
def test_what_a_principle_refuses(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Principle.model_validate({"id": "x", "title": "X", **fields})


def test_texts_lose_the_white_space_around_them() -> None:
    assert Principle(id="x", title="X", comparison_question="\n Which? \n").comparison_question == "Which?"


def test_a_delimiter_within_a_line_is_just_a_word() -> None:
    assert Principle(id="x", title="X", comparison_question="What did the Human: say?").comparison_question


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"principles": ()}, "at least 1"),
        ({"principles": (BOTH, BOTH)}, "same id"),
        ({"principles": (BOTH.model_copy(update={"id": "whole"}),)}, "the id `whole` stands for"),
        ({"principles": (BOTH,), "precedence": ("other",)}, "precedence"),
        ({"principles": (BOTH,), "precedence": ("both", "both")}, "precedence"),
    ],
)
def test_what_a_constitution_refuses(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Constitution.model_validate({"name": "x", "title": "X", **fields})


def test_the_hash_is_that_of_the_content() -> None:
    same = Constitution.model_validate_json(THREE.model_dump_json())
    assert same.sha256 == THREE.sha256
    reworded = ASKS.model_copy(update={"comparison_question": "Which one?"})
    changed = THREE.model_copy(update={"principles": (BOTH, PAIR, reworded)})
    assert changed.sha256 != THREE.sha256
    assert len(THREE.sha256) == 64


def test_the_hash_of_a_document_is_that_of_runs_that_kept_no_articles_apart() -> None:
    quoted = {one.id: one.comparison_question or one.critique_request or "" for one in THREE.principles}
    articles = tuple(Article(id=name, text=text, rank=0) for name, text in quoted.items())
    assert THREE.model_copy(update={"articles": articles}).sha256 == THREE.sha256


def test_what_no_principle_quotes_is_part_of_the_hash() -> None:
    def reads(text: str) -> str:
        return THREE.model_copy(update={"articles": (Article(id=BOTH.id, text=text),)}).sha256

    assert len({THREE.sha256, reads("Be good."), reads("Be better.")}) == 3


def test_draws_follow_the_weights() -> None:
    heavy = ASKS.model_copy(update={"weight": 3.0})
    counts = Counter(draw((PAIR, heavy), generator(0, "draw", index)).id for index in range(4000))
    assert counts["asks"] / 4000 == pytest.approx(0.75, abs=0.03)  # 4 standard errors


def test_one_number_decides_a_draw() -> None:
    """The docstring's example: weights 1 and 3, so numbers below 0.25 draw the first."""
    heavy = ASKS.model_copy(update={"weight": 3.0})
    for index in range(50):
        number = generator(1, index).random()
        assert draw((PAIR, heavy), generator(1, index)) is (PAIR if number < 0.25 else heavy)
