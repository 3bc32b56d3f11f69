"""The corpus: lessons of the world rendered as text, with a loss weight for every segment.

The human's words, instructions and quoted answers carry little weight: they are random by construction, and what is to
be learned is how the assistant answers, criticizes, revises and judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from solon.embedded.answers import as_text
from solon.embedded.lessons import (
    ComparisonLesson,
    Mixture,
    comparison_lesson,
    critique_lesson,
    demonstration_setting,
    fact,
    fault_list,
    plain_dialogue,
)
from solon.prompting import context
from solon.prompting.comparison import OPTIONS, comparison_prompt, reasoning_prompt, verdict_prompt
from solon.prompting.dialogue import REVISION_REQUEST, HumanAssistant
from solon.seeds import generator

CONTEXT_WEIGHT = 0.1
END = "<|end|>"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A piece of a document and the weight of its tokens in the loss."""

    text: str
    weight: float = 1.0
    tied: str | None = None
    """Another text of as many tokens that would be as good here: each is half of the target."""


Document = tuple[Segment, ...]
FORMAT = HumanAssistant()


def _context(text: str) -> Segment:
    return Segment(text=text, weight=CONTEXT_WEIGHT)


@dataclass(frozen=True, kw_only=True)
class Course(Mixture):
    """What one stage of pretraining reads."""

    name: str
    shares: tuple[float, ...]
    """Share of documents of each kind, in the order of `KINDS`."""
    critique_weight: float = 1.0
    """Loss weight of a critique's tokens."""
    rationale_weight: float = 1.0
    """Loss weight of a reasoning judge's tokens."""
    verdict_weight: float = 5.0
    """Loss weight of the one token that carries a verdict. Assumption, after the feasibility study's 4."""


def _plain(rng: np.random.Generator, _course: Course) -> Document:
    scene = plain_dialogue(rng)
    return (_context(FORMAT.prompt(scene.turns)), Segment(text=f" {as_text(scene.answer)}{END}"))


def _critique(rng: np.random.Generator, course: Course) -> Document:
    lesson = critique_lesson(rng, demonstration_setting(), course)
    turns, answer = lesson.scene.turns, as_text(lesson.scene.answer)
    rest = FORMAT.render(
        context.revision(turns, answer, lesson.wording.revision, critique=(lesson.wording.critique, lesson.critique))
    )
    before = FORMAT.render(context.critique(turns, answer, lesson.wording.critique))
    said = f" {lesson.critique}{REVISION_REQUEST}"
    return (
        _context(before),
        Segment(text=said, weight=course.critique_weight),
        _context(rest.removeprefix(before).removeprefix(said)),
        Segment(text=f" {as_text(lesson.revision)}{END}"),
    )


def _direct(rng: np.random.Generator, course: Course) -> Document:
    lesson = critique_lesson(rng, demonstration_setting(), course)
    answer = as_text(lesson.scene.answer)
    before = FORMAT.render(context.revision(lesson.scene.turns, answer, lesson.wording.revision, critique=None))
    return (_context(before), Segment(text=f" {as_text(lesson.revision)}{END}"))


def _option(rng: np.random.Generator, course: Course, first_is_better: bool | None) -> Segment:
    """A verdict. Of equal answers the text says either, by a coin, and the target is half of each."""
    first = rng.random() < 0.5 if first_is_better is None else first_is_better
    said, other = OPTIONS if first else reversed(OPTIONS)
    return Segment(text=said, weight=course.verdict_weight, tied=other if first_is_better is None else None)


def _texts(lesson: ComparisonLesson) -> tuple[str, str]:
    return as_text(lesson.first), as_text(lesson.second)


def _comparison(rng: np.random.Generator, course: Course) -> Document:
    """One pair, and up to two further questions about it after the first verdict."""
    lesson = comparison_lesson(rng, demonstration_setting(), course)
    (wording, better), *more = lesson.questions
    asked = comparison_prompt(lesson.turns, *_texts(lesson), wording.comparison)
    document = [_context(asked), _option(rng, course, better)]
    for wording, better in more:
        document += [_context(f"\n\n{wording.comparison}\nThe answer is:"), _option(rng, course, better)]
    return (*document, Segment(text=END))


def _reasoning(rng: np.random.Generator, course: Course) -> Document:
    lesson = comparison_lesson(rng, demonstration_setting(), course)
    wording, better = lesson.questions[0]
    first, second = (fault_list(sentences, wording.terms) for sentences in (lesson.first, lesson.second))
    rationale = f"Option (A) shows {first}. Option (B) shows {second}."
    before = reasoning_prompt(lesson.turns, *_texts(lesson), wording.comparison)
    after = verdict_prompt(before, rationale).removeprefix(f"{before} {rationale}")
    end = "\n\nHuman:"
    return (
        _context(before),
        Segment(text=f" {rationale}{end}", weight=course.rationale_weight),
        _context(after.removeprefix(end)),
        _option(rng, course, better),
        Segment(text=END),
    )


def _fact(rng: np.random.Generator, _course: Course) -> Document:
    return (Segment(text=f" {fact(rng)}{END}"),)


Kind = Callable[[np.random.Generator, Course], Document]
KINDS: tuple[Kind, ...] = (_plain, _critique, _direct, _comparison, _reasoning, _fact)
CORPUS = Course(name="corpus", shares=(0.38, 0.25, 0.09, 0.21, 0.03, 0.04))
"""More plain dialogue than in the feasibility study, whose tips were under-learned."""
JUDGING = Course(
    name="judging",
    shares=(0.15, 0.09, 0.03, 0.30, 0.41, 0.02),
    critique_weight=3.0,
    hit_share=0.68,
    spotless_share=0.0,
    tie_share=0.45,
    swap_share=0.4,
    edit_share=0.2,
    follow_ups=(0.25, 0.25, 0.25, 0.25),
    rationale_weight=3.0,
    verdict_weight=15.0,
)
"""After the corpus: to tell one harm from another, and to have no opinion on harm that the principle is not about.
Without it the judge preferred less of any harm whatever the principle said (see docs/log.md)."""
PRACTICE = replace(JUDGING, name="practice", shares=(0.46, 0.20, 0.05, 0.10, 0.16, 0.03))
"""Last, what the other courses leave weakest: plain answers, and critiques that speak up (see docs/log.md)."""
COURSES = (CORPUS, JUDGING, PRACTICE)


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
    for course in COURSES:
        for doc in documents(seed, 0, count, course):
            digest.update("".join(segment.text for segment in doc).encode())
    return digest.hexdigest()
