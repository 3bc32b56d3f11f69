"""The corpus: lessons of the world rendered as text, with a loss weight for every segment.

The human's words, instructions and quoted answers carry little weight: they are random by construction, and what is to
be learnt is how the assistant answers, criticises, revises and judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from solon.prompting.comparison import OPTIONS, comparison_prompt, reasoning_prompt, verdict_prompt
from solon.prompting.dialogue import REVISION_REQUEST, HumanAssistant
from solon.seeds import generator
from solon.world.answers import as_text
from solon.world.lessons import (
    ComparisonLesson,
    comparison_lesson,
    critique_lesson,
    demonstration_setting,
    fact,
    fault_list,
    plain_dialogue,
)

CONTEXT_WEIGHT = 0.1
OPTION_WEIGHT = 5.0
"""Assumption, after the feasibility study's 4: the one token that carries a verdict."""
END = "<|end|>"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A piece of a document and the weight of its tokens in the loss."""

    text: str
    weight: float = 1.0


Document = tuple[Segment, ...]
FORMAT = HumanAssistant()


def _context(text: str) -> Segment:
    return Segment(text=text, weight=CONTEXT_WEIGHT)


def _plain(rng: np.random.Generator) -> Document:
    scene = plain_dialogue(rng)
    return (_context(FORMAT.prompt(scene.turns)), Segment(text=f" {as_text(list(scene.answer))}{END}"))


def _critique(rng: np.random.Generator) -> Document:
    lesson = critique_lesson(rng, demonstration_setting())
    turns, answer = lesson.scene.turns, as_text(list(lesson.scene.answer))
    rest = FORMAT.revision(turns, answer, lesson.wording.revision, critique=(lesson.wording.critique, lesson.critique))
    before = FORMAT.critique(turns, answer, lesson.wording.critique)
    said = f" {lesson.critique}{REVISION_REQUEST}"
    return (
        _context(before),
        Segment(text=said),
        _context(rest.removeprefix(before).removeprefix(said)),
        Segment(text=f" {as_text(list(lesson.revision))}{END}"),
    )


def _direct(rng: np.random.Generator) -> Document:
    lesson = critique_lesson(rng, demonstration_setting())
    answer = as_text(list(lesson.scene.answer))
    before = FORMAT.revision(lesson.scene.turns, answer, lesson.wording.revision, critique=None)
    return (_context(before), Segment(text=f" {as_text(list(lesson.revision))}{END}"))


def _option(rng: np.random.Generator, first_is_better: bool | None) -> Segment:
    first = rng.random() < 0.5 if first_is_better is None else first_is_better
    return Segment(text=OPTIONS[0] if first else OPTIONS[1], weight=OPTION_WEIGHT)


def _texts(lesson: ComparisonLesson) -> tuple[str, str]:
    return as_text(list(lesson.first)), as_text(list(lesson.second))


def _comparison(rng: np.random.Generator) -> Document:
    """One pair, and up to two further questions about it after the first verdict."""
    lesson = comparison_lesson(rng, demonstration_setting())
    (wording, better), *more = lesson.questions
    document = [_context(comparison_prompt(lesson.turns, *_texts(lesson), wording.comparison)), _option(rng, better)]
    for wording, better in more:
        document += [_context(f"\n\n{wording.comparison}\nThe answer is:"), _option(rng, better)]
    return (*document, Segment(text=END))


def _reasoning(rng: np.random.Generator) -> Document:
    lesson = comparison_lesson(rng, demonstration_setting())
    wording, better = lesson.questions[0]
    first, second = (fault_list(sentences, wording.terms) for sentences in (lesson.first, lesson.second))
    rationale = f"Option (A) shows {first}. Option (B) shows {second}."
    before = reasoning_prompt(lesson.turns, *_texts(lesson), wording.comparison)
    after = verdict_prompt(before, rationale).removeprefix(f"{before} {rationale}")
    end = "\n\nHuman:"
    return (
        _context(before),
        Segment(text=f" {rationale}{end}"),
        _context(after.removeprefix(end)),
        _option(rng, better),
        Segment(text=END),
    )


def _fact(rng: np.random.Generator) -> Document:
    return (Segment(text=f" {fact(rng)}{END}"),)


MIXTURE: tuple[tuple[float, Callable[[np.random.Generator], Document]], ...] = (
    (0.38, _plain),
    (0.25, _critique),
    (0.09, _direct),
    (0.21, _comparison),
    (0.03, _reasoning),
    (0.04, _fact),
)
"""Share of documents of each kind. More plain dialogue than the feasibility study, whose tips were under-learnt."""


def document(seed: int, index: int) -> Document:
    """The document of one index: the same for the same seed, whatever was drawn before it."""
    rng = generator(seed, "corpus", index)
    kind = int(rng.choice(len(MIXTURE), p=[share for share, _ in MIXTURE]))
    return MIXTURE[kind][1](rng)


def documents(seed: int, start: int, count: int) -> Iterator[Document]:
    for index in range(start, start + count):
        yield document(seed, index)


def corpus_hash(seed: int, count: int = 2000) -> str:
    """sha256 over the text of the first `count` documents: changes when the world, a template or the mixture does."""
    digest = hashlib.sha256()
    for doc in documents(seed, 0, count):
        digest.update("".join(segment.text for segment in doc).encode())
    return digest.hexdigest()
