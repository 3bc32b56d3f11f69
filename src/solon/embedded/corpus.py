"""The corpus: lessons of the world rendered as text, with a loss weight for every segment.

The human's words, instructions and quoted answers carry little weight: they are random by construction, and what is to
be learnt is how the assistant answers, criticises, revises and judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from solon.prompting.comparison import OPTIONS, comparison_prompt, reasoning_prompt, verdict_prompt
from solon.prompting.dialogue import REVISION_REQUEST, HumanAssistant
from solon.seeds import generator
from solon.world.answers import as_text
from solon.world.lessons import (
    ComparisonLesson,
    CritiqueLesson,
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


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one stage of pretraining reads."""

    name: str
    shares: tuple[float, ...]
    """Share of documents of each kind, in the order of `KINDS`."""
    critique_weight: float = 1.0
    """Loss weight of a critique's tokens."""
    hit_share: float = 0.5
    """Of critiques of faulty answers: how many are asked under a principle that names one of the faults."""
    spotless_share: float = 0.12
    """Critiques of answers without any fault on purpose."""

    def lesson(self, rng: np.random.Generator) -> CritiqueLesson:
        setting = demonstration_setting()
        return critique_lesson(rng, setting, hit_share=self.hit_share, spotless_share=self.spotless_share)


def _plain(rng: np.random.Generator, _course: Course) -> Document:
    scene = plain_dialogue(rng)
    return (_context(FORMAT.prompt(scene.turns)), Segment(text=f" {as_text(list(scene.answer))}{END}"))


def _critique(rng: np.random.Generator, course: Course) -> Document:
    lesson = course.lesson(rng)
    turns, answer = lesson.scene.turns, as_text(list(lesson.scene.answer))
    rest = FORMAT.revision(turns, answer, lesson.wording.revision, critique=(lesson.wording.critique, lesson.critique))
    before = FORMAT.critique(turns, answer, lesson.wording.critique)
    said = f" {lesson.critique}{REVISION_REQUEST}"
    return (
        _context(before),
        Segment(text=said, weight=course.critique_weight),
        _context(rest.removeprefix(before).removeprefix(said)),
        Segment(text=f" {as_text(list(lesson.revision))}{END}"),
    )


def _direct(rng: np.random.Generator, course: Course) -> Document:
    lesson = course.lesson(rng)
    answer = as_text(list(lesson.scene.answer))
    before = FORMAT.revision(lesson.scene.turns, answer, lesson.wording.revision, critique=None)
    return (_context(before), Segment(text=f" {as_text(list(lesson.revision))}{END}"))


def _option(rng: np.random.Generator, first_is_better: bool | None) -> Segment:
    first = rng.random() < 0.5 if first_is_better is None else first_is_better
    return Segment(text=OPTIONS[0] if first else OPTIONS[1], weight=OPTION_WEIGHT)


def _texts(lesson: ComparisonLesson) -> tuple[str, str]:
    return as_text(list(lesson.first)), as_text(list(lesson.second))


def _comparison(rng: np.random.Generator, _course: Course) -> Document:
    """One pair, and up to two further questions about it after the first verdict."""
    lesson = comparison_lesson(rng, demonstration_setting())
    (wording, better), *more = lesson.questions
    document = [_context(comparison_prompt(lesson.turns, *_texts(lesson), wording.comparison)), _option(rng, better)]
    for wording, better in more:
        document += [_context(f"\n\n{wording.comparison}\nThe answer is:"), _option(rng, better)]
    return (*document, Segment(text=END))


def _reasoning(rng: np.random.Generator, _course: Course) -> Document:
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


def _fact(rng: np.random.Generator, _course: Course) -> Document:
    return (Segment(text=f" {fact(rng)}{END}"),)


KINDS: tuple[Callable[[np.random.Generator, Course], Document], ...] = (
    _plain,
    _critique,
    _direct,
    _comparison,
    _reasoning,
    _fact,
)
CORPUS = Course(name="corpus", shares=(0.38, 0.25, 0.09, 0.21, 0.03, 0.04))
"""More plain dialogue than in the feasibility study, whose tips were under-learnt."""
PRACTICE = Course(
    name="practice",
    shares=(0.42, 0.30, 0.08, 0.13, 0.04, 0.03),
    critique_weight=3.0,
    hit_share=0.68,
    spotless_share=0.0,
)
"""After the corpus, what it had taught least: critiques that speak up, and plain answers (see docs/log.md)."""


def document(seed: int, index: int, course: Course = CORPUS) -> Document:
    """The document of one index: the same for the same seed, whatever was drawn before it."""
    rng = generator(seed, course.name, index)
    return KINDS[int(rng.choice(len(KINDS), p=course.shares))](rng, course)


def documents(seed: int, start: int, count: int, course: Course = CORPUS) -> Iterator[Document]:
    for index in range(start, start + count):
        yield document(seed, index, course)


@cache
def corpus_hash(seed: int, count: int = 2000) -> str:
    """sha256 over the text of the first `count` documents of each course: changes when the world, a template or a
    mixture does."""
    digest = hashlib.sha256()
    for course in (CORPUS, PRACTICE):
        for doc in documents(seed, 0, count, course):
            digest.update("".join(segment.text for segment in doc).encode())
    return digest.hexdigest()
