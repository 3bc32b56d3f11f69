"""Which heading outranks which, by the sentences that a document has about it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from solon.constitution.proposing.names import Named, Names
from solon.constitution.proposing.priorities import Order, Said, order_of

TITLES = ("Being safe", "Honesty", "Real help", "Kind manners")
SAFE, HONEST, HELP, MANNERS = "being-safe", "honesty", "real-help", "kind-manners"


def named(*titles: str, level: int = 2) -> list[Named]:
    return [Named(id=title.lower().replace(" ", "-"), title=title, level=level, above=()) for title in titles]


def order(*said: str | tuple[str, ...], titles: Sequence[Named] | None = None) -> Order:
    rows = [
        Said(text=one, line=line) if isinstance(one, str) else Said(text="; ".join(one), line=line, items=one)
        for line, one in enumerate(said, start=1)
    ]
    return order_of(rows, Names(titles or named(*TITLES), "A guide to being good"))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Safety comes before honesty.", (SAFE, HONEST)),
        ("Above all, honesty takes precedence over being helpful, whatever is asked.", (HONEST, HELP)),
        ("We rank being honest above help and above manners.", (HONEST, HELP, MANNERS)),
        ("Helpfulness yields to safety.", (SAFE, HELP)),
        ("Manners give way to help when they must, because help is why we are here.", (HELP, MANNERS)),
        ("Safety and honesty outweigh manners.", (SAFE, HONEST, MANNERS)),
        ("Where help and honesty conflict, honesty comes first.", (HONEST, HELP)),
        ("We want it to be safe first, honest second, and otherwise helpful.", (SAFE, HONEST, HELP)),
        ("First safety, then manners, and last real help.", (SAFE, MANNERS, HELP)),
        ("They count in this order: help, manners and safety.", (HELP, MANNERS, SAFE)),
        ("Safety does not always come before honesty.", ()),
        ("We don't think that safety takes precedence over honesty.", ()),
        ("A little help may well outweigh a lie.", ()),
        ("We ask it to prioritize safety over its other manners.", ()),
        ("Honesty matters more than helping other people.", (HONEST, HELP)),
        ("Priority is a word.", ()),
        ("Safety has priority.", ()),
    ],
)
def test_each_form_of_a_sentence(sentence: str, expected: tuple[str, ...]) -> None:
    found = order(sentence)
    assert set(found.ids) == set(expected)
    assert list(found.ids) == [one for one in expected if one in found.ids]
    assert len(found.used) == bool(expected)


def test_a_list_is_an_order_of_its_items() -> None:
    assert order(("Broadly safe", "What is this?", "Genuinely helpful", "Honest")).ids == (SAFE, HELP, HONEST)


def test_what_is_said_first_counts_and_a_contradiction_is_told() -> None:
    found = order("Safety comes before honesty.", "Honesty comes before help.", "Help comes before safety.")
    assert found.ids == (SAFE, HONEST, HELP)
    assert [(one.line, why) for one, why in found.unused] == [(3, "contradicts what was said before")]


def test_a_sentence_that_contradicts_itself_counts_as_far_as_its_first_words() -> None:
    found = order("Safety comes before honesty, except in an emergency, where honesty comes before safety.")
    assert found.ids == (SAFE, HONEST)
    assert [one.line for one in found.used] == [1]
    assert [(one.line, why) for one, why in found.unused] == [(1, "contradicts what was said before, in part")]


def test_where_nothing_is_said_the_document_decides() -> None:
    assert order("Manners come before help.", "Safety comes before help.").ids == (SAFE, MANNERS, HELP)


def test_a_heading_does_not_outrank_what_stands_below_it() -> None:
    inner = Named(id="honesty", title="Honesty", level=3, above=(SAFE,))
    assert order("Safety comes before honesty.", titles=[named("Being safe")[0], inner]).ids == ()


def test_the_highest_heading_is_meant_and_words_of_the_title_mean_nothing() -> None:
    names = Names([*named("Why helpfulness matters", level=3), *named("Being helpful")], "A good guide")
    assert (names.named("genuinely helpful") or names.headings[0]).id == "being-helpful"
    assert names.named("a good guide to anything") is None
