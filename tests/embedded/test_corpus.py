"""The corpus as text: what no document of critique, revision or comparison may contain, and what it weighs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from solon.config.paths import EMBEDDED_MODELS
from solon.constitution.controls import BLANK, INVERTED
from solon.embedded.card import read_card
from solon.embedded.corpus import (
    CRITIQUE_WEIGHT,
    END,
    FACT_WEIGHT,
    HUMAN_WEIGHT,
    KINDS,
    PARTS,
    SHARES,
    VERDICT_WEIGHT,
    Document,
    corpus_hash,
    document,
    documents,
)
from solon.embedded.lessons import Mixture
from solon.embedded.recipe import Part
from solon.embedded.wordings import draw_wording, turned_round, without_principle
from solon.models.where import embedded_model
from solon.prompting.comparison import OPTIONS
from solon.prompting.dialogue import ASSISTANT, CRITIQUE, CRITIQUE_REQUEST, REVISION, REVISION_REQUEST
from solon.seeds import generator
from solon.world.lexicon import HELD_OUT_ACTS, HELD_OUT_HARM, HELD_OUT_NOUNS, HELD_OUT_TEMPLATES, lexicon
from solon.world.sentences import SLOTS

MAKERS: dict[str, Callable[[np.random.Generator, Mixture], Document]] = {make.__name__: make for make in KINDS}
PLAIN, FACT = "_plain", "_fact"
CONTROLLED = (BLANK, *(line for line in INVERTED.splitlines() if "{" not in line))
"""What `solon labels` asks in the place of a principle's question."""
WEIGHTS = {
    PLAIN: (),
    "_critique": (CRITIQUE_WEIGHT,),
    "_direct": (),
    "_comparison": (VERDICT_WEIGHT,),
    "_reasoning": (VERDICT_WEIGHT, CRITIQUE_WEIGHT),
    FACT: (FACT_WEIGHT,),
}
"""What weighs more than an answer."""


def text_of(doc: Document) -> str:
    return "".join(segment.text for segment in doc)


def made(kind: str, count: int, part: Part = "world") -> list[Document]:
    return [MAKERS[kind](generator(5, kind, number), PARTS[part][1]) for number in range(count)]


@cache
def texts(kind: str, count: int = 1500, part: Part = "world") -> tuple[str, ...]:
    return tuple(map(text_of, made(kind, count, part)))


def pattern(template: str) -> str:
    """What a template looks like once its slots are filled with names of the world, `{terms}` with any words."""
    lex = lexicon()
    text = re.escape(template).replace(r"\{terms\}", "[^.?!]+").replace(r"\{question\}", "[^.?!]+[.?!]")
    for slot in SLOTS:
        text = text.replace(rf"\{{{slot}\}}", f"(?:{'|'.join(lex.entities(slot, 'all'))})")
    return text


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of these as whole words, in upper and lower case."""
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE)


QUESTIONS = (*lexicon().principle, "against", "nothing")


def _questions(use: str) -> tuple[str, ...]:
    return (lexicon().principle | lexicon().judging)[use]


@cache
def held_out() -> dict[str, tuple[re.Pattern[str], int]]:
    """What no demonstration may contain, and how many of each there are."""
    lex = lexicon()
    names = [name for slot in SLOTS for name in lex.entities(slot, "held-out")]
    tasks = lex.task_names("held-out")
    unseen = lex.harms[HELD_OUT_HARM]
    words = {
        "people, things and places": names,
        "tasks": list(tasks),
        "tips": [tip for task in tasks for tip in lex.tasks[task]],
        "acts": [act for harm in lex.harms.values() for act in harm.acts[-HELD_OUT_ACTS:]],
        "nouns": [noun for names in lex.fault_nouns.values() for noun in names[-HELD_OUT_NOUNS:]],
        "templates": [text for use in QUESTIONS for text in _questions(use)[-HELD_OUT_TEMPLATES:]],
        "category": [*unseen.requests, *unseen.acts, *unseen.nouns],
    }
    return {name: (any_of(map(pattern, texts)), len(texts)) for name, texts in words.items()}


def met(name: str, said: Iterable[str]) -> set[str]:
    """What of the held-out words these texts contain."""
    words = held_out()[name][0]
    return {found.lower() for text in said for found in words.findall(text)}


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind not in (PLAIN, FACT)])
@pytest.mark.parametrize("part", PARTS)
def test_no_demonstration_contains_what_is_held_out(part: Part, kind: str) -> None:
    assert {name: found for name in held_out() if (found := met(name, texts(kind, part=part)))} == {}


def test_the_second_part_asks_for_the_opposite_and_for_nothing_and_the_first_never_does() -> None:
    asked = any_of(
        map(
            pattern,
            (BLANK, INVERTED, *(text for use in ("against", "nothing") for text in _questions(use))),
        )
    )
    for kind, least in (("_comparison", 0.3), ("_reasoning", 0.12)):
        assert not any(map(asked.search, texts(kind, 200)))
        later = texts(kind, 200, "opposite")
        assert least < sum(map(bool, map(asked.search, later))) / len(later) < 0.85
    assert all(any(text in doc for doc in texts("_comparison", 400, "opposite")) for text in CONTROLLED)


def test_parts_have_documents_of_their_own() -> None:
    assert document(3, 10, "opposite") != document(3, 10, "world") == document(3, 10)


@pytest.mark.parametrize("name", ["people, things and places", "tasks", "tips"])
def test_plain_dialogues_contain_nearly_all_of_it(name: str) -> None:
    """They teach the words, and show that the test above can see."""
    assert len(met(name, texts(PLAIN, 4000))) > 0.9 * held_out()[name][1]


def test_plain_dialogues_do_the_held_out_harms_and_facts_name_them() -> None:
    assert len(met("acts", texts(PLAIN))) > 20
    assert len(met("category", texts(PLAIN))) > 20
    assert len(met("nouns", texts(FACT))) == held_out()["nouns"][1]


def test_facts_contain_no_held_out_template() -> None:
    assert not met("templates", texts(FACT, 4000))


def test_held_out_wordings_would_be_seen() -> None:
    wording = draw_wording(generator(0), ("theft", "rude"), held_out=True)
    for seed in range(4):
        assert met(
            "templates", [turned_round(generator(seed), replace(wording, comparison="Why?"), held_out=True).comparison]
        )
        assert met("templates", [without_principle(generator(seed), held_out=True).comparison])
    for text in (wording.critique, wording.revision, wording.comparison):
        assert met("templates", [text]) and met("nouns", [text])


def test_the_shares_of_the_kinds() -> None:
    assert sum(SHARES) == pytest.approx(1.0) and len(SHARES) == len(KINDS)
    drawn = [text_of(doc) for doc in documents(3, 0, 1500)]
    critique, direct = SHARES[1:3]
    assert sum(CRITIQUE in text for text in drawn) / 1500 == pytest.approx(critique, abs=0.04)
    directly = sum(REVISION_REQUEST in text and CRITIQUE not in text for text in drawn)
    assert directly / 1500 == pytest.approx(direct, abs=0.03)


def test_half_of_the_critiques_speak_up_and_many_answers_are_criticized_more_than_once() -> None:
    said = [s.text for doc in made("_critique", 500) for s in doc if s.weight == CRITIQUE_WEIGHT]
    assert 0.45 < sum(lexicon().critique["none"] in text for text in said) / len(said) < 0.6
    assert 1.5 < len(said) / 500 < 2.0


def test_equal_answers_make_half_a_target_each_and_are_common() -> None:
    verdicts = [s for doc in made("_comparison", 400) for s in doc if s.weight == VERDICT_WEIGHT]
    assert all(s.tied is None or {s.text, s.tied} == set(OPTIONS) for s in verdicts)
    assert 0.45 < sum(s.tied is not None for s in verdicts) / len(verdicts) < 0.65
    others = [s for kind in ("_plain", "_critique", "_direct") for doc in made(kind, 50) for s in doc]
    assert all(segment.tied is None for segment in others)


def test_a_document_depends_on_seed_and_index_alone() -> None:
    assert list(documents(3, 10, 5)) == [document(3, index) for index in range(10, 15)]
    assert document(3, 10) != document(4, 10)


def test_what_is_quoted_is_not_to_be_learned() -> None:
    asked = (ASSISTANT, CRITIQUE_REQUEST, CRITIQUE, REVISION_REQUEST, REVISION, "is:", "step:")
    for kind in MAKERS:
        for doc in made(kind, 150):
            assert text_of(doc).endswith(END) and text_of(doc).count(END) == 1
            assert {segment.weight for segment in doc} <= {0.0, HUMAN_WEIGHT, 1.0, *WEIGHTS[kind]}
            assert all((s.text in OPTIONS) == (s.weight == VERDICT_WEIGHT) for s in doc)
            assert doc[-1].text.endswith(END) and doc[-1].weight == (FACT_WEIGHT if kind == FACT else 1.0)
            quoted = [segment for segment in doc if segment.weight < 1.0]
            assert quoted[0] == doc[0] and (kind == FACT or all(s.text.endswith(asked) for s in quoted))
            assert all(segment.weight == (HUMAN_WEIGHT if kind == PLAIN else 0.0) for segment in quoted)


def test_options_are_balanced() -> None:
    """A judge that always says (A) must not be right more often than one that flips a coin."""
    said = Counter(s.text for doc in made("_comparison", 800) for s in doc if s.weight == VERDICT_WEIGHT)
    assert 0.46 < said[OPTIONS[0]] / said.total() < 0.54


def test_the_hash_of_the_corpus_tells_seeds_apart_and_repeats() -> None:
    assert corpus_hash(0, 50) == corpus_hash(0, 50) != corpus_hash(1, 50)
    assert corpus_hash(0, 50) != corpus_hash(0, 51)


def test_the_shipped_models_were_taught_this_very_corpus() -> None:
    """Whoever changes the world, a template or the mixture has to train, and measure, again."""
    cards = [read_card(embedded_model(name)) for name in EMBEDDED_MODELS]
    assert {(card.recipe.seed, card.corpus_sha256) for card in cards} == {(0, corpus_hash(0))}
