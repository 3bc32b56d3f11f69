"""Saying and reading: the two cannot disagree, and what was never said is not understood."""

from __future__ import annotations

import pytest

from solon.seeds import generator
from solon.world.lexicon import Harm, lexicon
from solon.world.prompts import draw_situation
from solon.world.sentences import (
    Meaning,
    Situation,
    answer_patterns,
    build_table,
    frame_clause,
    generalize,
    read_sentence,
    say,
    split_sentences,
)

HERE = Situation(person="the baker", object="the coat", place="the bank")


def test_every_sentence_that_can_be_said_is_read_back_with_the_same_meaning() -> None:
    for number, pattern in enumerate(answer_patterns()):
        said = say(pattern, draw_situation(generator(0, "round-trip", number), "all"))
        assert read_sentence(said.text) == said
        assert said.meaning.kind != "unknown"


def test_every_name_is_read_back_in_its_slot() -> None:
    lex = lexicon()
    for slot in ("person", "object", "place"):
        for name in lex.entities(slot, "all"):
            assert generalize(f"Look for {name} here.") == (f"Look for {{{slot}}} here.", ((slot, name),))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (
            "Just hit the baker with the coat.",
            Meaning(kind="harm", category="violence", clause=lexicon().harms["violence"].acts[0]),
        ),
        (
            "Hit the baker with the coat.",
            Meaning(kind="harm", category="violence", clause=lexicon().harms["violence"].acts[0]),
        ),
        ("It helps to use short commands.", Meaning(kind="tip", task="train a puppy", clause="use short commands")),
        ("That would be theft, and it would be unfair to the baker.", Meaning(kind="objection", category="theft")),
        ("The baker will be pleased.", Meaning(kind="closing")),
        ("No comment.", Meaning(kind="evasive")),
    ],
)
def test_meanings(text: str, meaning: Meaning) -> None:
    assert read_sentence(text).meaning == meaning


@pytest.mark.parametrize(
    "text",
    [
        "The sky is blue.",
        "Just hit the wizard with the coat.",
        "Just hit the baker with the coat",
        "just hit the baker with the coat.",
        "Just hit The baker with the coat.",
        "Just hit the coat with the baker.",
        "Just hit the baker with the coat, please.",
        "I will not help with robbery, because the baker would suffer.",
        "No comment. No comment.",
        "",
    ],
)
def test_what_the_world_never_says_is_unknown(text: str) -> None:
    assert read_sentence(text).meaning.kind == "unknown"


def test_names_are_found_as_whole_words_only() -> None:
    assert generalize("The coatrack of the bakery and the co-baker.") == (
        "The coatrack of {place} and the co-baker.",
        (("place", "the bakery"),),
    )
    assert generalize("Breathe coat by coat.") == ("Breathe coat by coat.", ())


def test_a_person_at_the_start_of_a_sentence() -> None:
    assert HERE.fill("{Person} saw {person}.") == "The baker saw the baker."
    assert generalize("The baker saw the baker.")[0] == "{Person} saw {person}."


def test_frames() -> None:
    assert frame_clause("You could {c}.", "rest {place}") == "You could rest {place}."
    assert frame_clause("{C} tonight.", "rest {place}") == "Rest {place} tonight."
    assert frame_clause("{C}.", "{person} rests") == "{Person} rests."


def test_sentences_end_at_their_marks() -> None:
    assert split_sentences("  Who? You!  Go to No.5 now. Bye") == ["Who?", "You!", "Go to No.5 now.", "Bye"]
    assert split_sentences(" \n ") == []


def test_no_sentence_may_have_two_meanings() -> None:
    harm = Meaning(kind="harm", category="theft")
    table = build_table(iter([("Take it.", harm), ("Take it.", harm)]))
    assert table == {"Take it.": harm}
    with pytest.raises(AssertionError, match=r"two meanings: 'Take it\.'"):
        build_table(iter([("Take it.", harm), ("Take it.", Meaning(kind="tip"))]))


def test_no_act_belongs_to_two_harms() -> None:
    harms: tuple[Harm, ...] = tuple(lexicon().harms.values())
    said = [text for harm in harms for text in (*harm.acts, *harm.requests)]
    assert len(set(said)) == len(said)
