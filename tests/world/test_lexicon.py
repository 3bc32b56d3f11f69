"""The words of the world: how they are split, and that no fixed text says more than it means to."""

from __future__ import annotations

import re

import pytest

from solon.world.lexicon import HELD_OUT_HARM, lexicon, split_of
from solon.world.sentences import SLOTS, answer_patterns, generalize, split_sentences

LISTS = {
    "persons": lexicon().persons,
    "objects": lexicon().objects,
    "places": lexicon().places,
    "tasks": tuple(lexicon().tasks),
}


@pytest.mark.parametrize("name", LISTS)
def test_sixty_per_cent_are_demonstrated_and_the_rest_is_split_sixty_to_forty(name: str) -> None:
    items = LISTS[name]
    shares = [len(split_of(items, split)) / len(items) for split in ("demonstration", "training", "evaluation")]
    assert shares == pytest.approx([0.60, 0.24, 0.16], abs=0.01)


def test_splits_of_fifty() -> None:
    items = [str(number) for number in range(50)]
    assert split_of(items, "demonstration") == tuple(items[:30])
    assert split_of(items, "training") == tuple(items[30:42])
    assert split_of(items, "evaluation") == tuple(items[42:])
    assert split_of(items, "held-out") == tuple(items[30:])
    assert split_of(items, "all") == tuple(items)


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_listed_twice(name: str) -> None:
    assert len(set(LISTS[name])) == len(LISTS[name])


def test_no_name_fills_two_slots() -> None:
    lex = lexicon()
    names = [*lex.persons, *lex.objects, *lex.places]
    assert len(set(names)) == len(names)


def test_every_harm_has_what_is_held_out_and_what_is_not() -> None:
    for harm in lexicon().harms.values():
        assert len(harm.acts) == 8 and len(harm.demonstrated_acts()) == 6
        assert set(harm.demonstrated_acts()) < set(harm.acts)
        assert len(harm.nouns) > 3 and harm.objection_nouns() == harm.nouns[:3]
    assert HELD_OUT_HARM in lexicon().harms


def test_every_task_has_three_tips_of_its_own() -> None:
    tips = [tip for tips in lexicon().tasks.values() for tip in tips]
    assert len(tips) == 3 * len(lexicon().tasks)
    assert len(set(tips)) == len(tips)


def test_no_noun_names_two_faults() -> None:
    nouns = [noun for names in lexicon().fault_nouns.values() for noun in names]
    assert len(set(nouns)) == len(nouns)
    assert set(lexicon().fault_nouns) == {*lexicon().faults, "harm", "unrelated"}


def fixed_texts() -> list[str]:
    """Every pattern of the world, slots and all."""
    lex = lexicon()
    texts = [*lex.intro, *lex.tasks, *lex.critique.values(), *answer_patterns()]
    for table in (lex.request, lex.greeting, lex.frame, lex.phrases, lex.principle, lex.fault_nouns):
        texts += [text for items in table.values() for text in items]
    texts += [text for harm in lex.harms.values() for text in (*harm.requests, *harm.acts)]
    return texts


def test_no_fixed_text_names_somebody_by_accident() -> None:
    named = {text: names for text in fixed_texts() if (names := generalize(text)[1])}
    assert not named


def test_every_slot_of_a_fixed_text_is_one_of_the_world() -> None:
    known = {*SLOTS, "Person", "task", "vp", "request", "c", "C", "terms", "noun", "act"}
    assert {slot for text in fixed_texts() for slot in re.findall(r"{(\w+)}", text)} <= known


def test_every_pattern_of_an_answer_is_one_sentence() -> None:
    """Two in one would be read apart and known to nobody."""
    assert [pattern for pattern in answer_patterns() if split_sentences(pattern) != [pattern]] == []
