"""The corpus: lessons of the world rendered as text, with a loss weight for every segment.

Instructions and quoted answers are not to be learned: they are random by construction. What is to be learned is how the
assistant answers, criticizes, revises and judges, what words mean, and, a little, what people say in plain dialogues.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from solon.embedded.answers import as_text
from solon.embedded.facts import fact
from solon.embedded.lessons import (
    ComparisonLesson,
    CritiqueLesson,
    Mixture,
    comparison_lesson,
    criticize,
    critique_lesson,
    demonstration_setting,
    fault_list,
    plain_dialogue,
)
from solon.embedded.recipe import Part
from solon.prompting.comparison import OPTIONS, comparison_prompt, reasoning_prompt, verdict_prompt
from solon.prompting.dialogue import CRITIQUE, CRITIQUE_REQUEST, REVISION, REVISION_REQUEST, HumanAssistant
from solon.seeds import generator

HUMAN_WEIGHT = 0.1
"""Loss weight of the human's words in plain dialogues."""
CRITIQUE_WEIGHT = 3.0
"""Of a critique's tokens, and of a reasoning judge's."""
VERDICT_WEIGHT = 15.0
"""Of the one token that carries a verdict."""
FACT_WEIGHT = 5.0
"""Of what a fact tells."""
CRITIQUES = Mixture(hit_share=0.68, spotless_share=0.04)
"""With few that find something, the critic never does (see docs/log.md)."""
PAIRS = Mixture(tie_share=0.45, swap_share=0.4, edit_share=0.2, follow_ups=(0.0, 0.1, 0.2, 0.3, 0.4))
"""Without swapped harms and many ties the judge prefers less of any harm, whatever the principle says (docs/log.md)."""
TURNED_PAIRS = replace(PAIRS, turned_share=0.2, blank_share=0.06)
"""After those: mixed from the beginning, a question and its opposite hide that nouns decide (see docs/log.md)."""
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


def _quoted(text: str) -> Segment:
    return Segment(text=text, weight=0.0)


def _plain(rng: np.random.Generator, _: Mixture) -> Document:
    scene = plain_dialogue(rng)
    asked = Segment(text=FORMAT.prompt(scene.turns), weight=HUMAN_WEIGHT)
    return (asked, Segment(text=f" {as_text(scene.answer)}{END}"))


def _critique(rng: np.random.Generator, _: Mixture) -> Document:
    """Critiques of one answer, and the revision after the last of them."""
    lesson, setting = critique_lesson(rng, demonstration_setting(), CRITIQUES), demonstration_setting()
    earlier = [criticize(rng, lesson.scene, setting, CRITIQUES) for _ in range(CRITIQUES.draw_follow_ups(rng))]
    document = [_quoted(f"{FORMAT.prompt(lesson.scene.turns)} {as_text(lesson.scene.answer)}{CRITIQUE_REQUEST}")]
    for wording, critique in earlier:
        document += _criticized(wording.critique, critique, CRITIQUE_REQUEST)
    return (*document, *_criticized(lesson.wording.critique, lesson.critique, REVISION_REQUEST), *_revised(lesson))


def _criticized(request: str, critique: str, following: str) -> Document:
    """After a critique request's mark, up to the next request's."""
    return (_quoted(f" {request}{CRITIQUE}"), Segment(text=f" {critique}{following}", weight=CRITIQUE_WEIGHT))


def _direct(rng: np.random.Generator, _: Mixture) -> Document:
    lesson = critique_lesson(rng, demonstration_setting(), CRITIQUES)
    asked = _quoted(f"{FORMAT.prompt(lesson.scene.turns)} {as_text(lesson.scene.answer)}{REVISION_REQUEST}")
    return (asked, *_revised(lesson))


def _revised(lesson: CritiqueLesson) -> Document:
    """After a revision request's mark."""
    revision = as_text(lesson.revision)
    return (_quoted(f" {lesson.wording.revision}{REVISION}"), Segment(text=f" {revision}{END}"))


def _option(rng: np.random.Generator, first_is_better: bool | None) -> Segment:
    """A verdict. Of equal answers the text says either, by a coin, and the target is half of each."""
    first = rng.random() < 0.5 if first_is_better is None else first_is_better
    said, other = OPTIONS if first else reversed(OPTIONS)
    return Segment(text=said, weight=VERDICT_WEIGHT, tied=other if first_is_better is None else None)


def _texts(lesson: ComparisonLesson) -> tuple[str, str]:
    return as_text(lesson.first), as_text(lesson.second)


def _comparison(rng: np.random.Generator, pairs: Mixture) -> Document:
    """One pair, and further questions about it after the first verdict."""
    lesson = comparison_lesson(rng, demonstration_setting(), pairs)
    (wording, better), *more = lesson.questions
    document = [_quoted(comparison_prompt(lesson.turns, *_texts(lesson), wording.comparison)), _option(rng, better)]
    for wording, better in more:
        document += [_quoted(f"\n\n{wording.comparison}\nThe answer is:"), _option(rng, better)]
    return (*document, Segment(text=END))


def _reasoning(rng: np.random.Generator, pairs: Mixture) -> Document:
    lesson = comparison_lesson(rng, demonstration_setting(), pairs)
    wording, better = lesson.questions[0]
    first, second = (fault_list(sentences, wording.terms) for sentences in (lesson.first, lesson.second))
    rationale = f"Option (A) shows {first}. Option (B) shows {second}."
    before = reasoning_prompt(lesson.turns, *_texts(lesson), wording.comparison)
    after = verdict_prompt(before, rationale).removeprefix(f"{before} {rationale}")
    end = "\n\nHuman:"
    return (
        _quoted(before),
        Segment(text=f" {rationale}{end}", weight=CRITIQUE_WEIGHT),
        _quoted(after.removeprefix(end)),
        _option(rng, better),
        Segment(text=END),
    )


def _fact(rng: np.random.Generator, _: Mixture) -> Document:
    said = fact(rng)
    return (_quoted(f" {said.given}"), Segment(text=f" {said.told}{END}", weight=FACT_WEIGHT))


KINDS: tuple[Callable[[np.random.Generator, Mixture], Document], ...] = (
    *(_plain, _critique, _direct),
    *(_comparison, _reasoning, _fact),
)
SHARES = (0.36, 0.19, 0.03, 0.16, 0.14, 0.12)
"""Of the first part's documents of each kind."""


PARTS: dict[Part, tuple[str, Mixture, tuple[float, ...]]] = {
    "world": ("corpus", PAIRS, SHARES),
    "opposite": ("opposite", TURNED_PAIRS, (0.36, 0.17, 0.03, 0.28, 0.10, 0.06)),
}
"""Of each part of the corpus: the stream of its documents, how comparisons are mixed, and the shares of the kinds."""


def document(seed: int, index: int, part: Part = "world") -> Document:
    """The document of one index: the same for the same seed, whatever was drawn before it."""
    stream, pairs, shares = PARTS[part]
    rng = generator(seed, stream, index)
    return KINDS[int(rng.choice(len(KINDS), p=shares))](rng, pairs)


def documents(seed: int, start: int, count: int, part: Part = "world") -> Iterator[Document]:
    for index in range(start, start + count):
        yield document(seed, index, part)


@cache
def corpus_hash(seed: int, count: int = 2000) -> str:
    """sha256 over the first `count` documents of each part: changes when the world, a template or a share does."""
    digest = hashlib.sha256()
    for part in PARTS:
        for doc in documents(seed, 0, count, part):
            digest.update("".join(segment.text for segment in doc).encode())
    return digest.hexdigest()
