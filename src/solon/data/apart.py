"""Evaluation asks nothing that a run trains on: equal prompts are refused, near-duplicates are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.data.alike import ALIKE, Texts, same_words
from solon.data.split import opening_of
from solon.errors import Fault, PromptError
from solon.records import Prompt, Record

TOLD = 3
"""Near-duplicates that are named, the most alike first."""


class NearDuplicate(Record):
    """An evaluation prompt, and the training prompt that is most like it."""

    evaluation: str
    training: str
    """Ids."""
    alike: float
    """Share of their pairs of neighboring words that both have."""


class Split(Record):
    """What was found when training and evaluation prompts were held against each other; kept in the manifest."""

    training: int
    evaluation: int
    equal: int = 0
    """Prompts of the same words on both sides. A run with any is refused."""
    threshold: float = ALIKE
    near_duplicates: int | None = None
    """Evaluation prompts that are this much like a training prompt. None: nobody looked, as in the world, whose prompts
    are all made of the same sentences."""
    worst: tuple[NearDuplicate, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Near:
    """One near-duplicate."""

    evaluation: Prompt
    training: Prompt
    alike: float


def words_of(prompt: Prompt) -> str:
    """What people and assistant say, without letter case, marks and spacing; of a dialogue without words, as it is."""
    text = "\n".join(turn.text for turn in prompt.turns if turn.role != "system")
    return same_words(text) or text


def opening_words(prompt: Prompt) -> str:
    """The same of the first human turn."""
    return same_words(opening_of(prompt)) or opening_of(prompt)


def held_apart(training: Sequence[Prompt], evaluation: Sequence[Prompt], *, near: bool) -> tuple[Split, list[str]]:
    """What was found, and what the user should be told. `near`: whether to look for near-duplicates.

    Raises `PromptError` with both places of every evaluation prompt that has the words of a training prompt.
    """
    taught = {words_of(prompt): prompt for prompt in reversed(training)}
    equal = [(prompt, taught[words]) for prompt in evaluation if (words := words_of(prompt)) in taught]
    if equal:
        raise PromptError(_refusal(equal, len(evaluation)))
    split = Split(training=len(training), evaluation=len(evaluation))
    if not near:
        return split, []
    found = near_duplicates(training, evaluation)
    split = split.model_copy(update={"near_duplicates": len(found), "worst": tuple(map(_kept, found[:TOLD]))})
    return split, [_warning(split, found[:TOLD])] if found else []


def near_duplicates(training: Sequence[Prompt], evaluation: Sequence[Prompt]) -> list[Near]:
    """Of every evaluation prompt that has some, the training prompt that is most like it; the most alike first."""
    asked, best = Texts(), dict[int, Near]()
    for prompt in evaluation:
        asked.add(words_of(prompt))
    for prompt in training:
        for number, alike in asked.alike(words_of(prompt)):
            if number not in best or alike > best[number].alike:
                best[number] = Near(evaluation=evaluation[number], training=prompt, alike=alike)
    return sorted(best.values(), key=lambda near: (-near.alike, near.evaluation.id))


def _refusal(equal: Sequence[tuple[Prompt, Prompt]], asked: int) -> list[Fault]:
    """The first twenty, and how many there are."""
    told = [
        Fault(f"{prompt.source}: an evaluation prompt has the words of the training prompt {like.source}")
        for prompt, like in equal[:20]
    ]
    hint = "take one of each two out of the files"
    return [*told, Fault(f"{len(equal)} of {asked} evaluation prompts are training prompts too", hint=hint)]


def _warning(split: Split, worst: Sequence[Near]) -> str:
    """Example: `2 of 200 evaluation prompts are near-duplicates of training prompts (70% or more of their pairs of
    words in common), the most alike: red.jsonl:4 and red.jsonl:9 (92%)`."""
    told = ", ".join(f"{one.evaluation.source} and {one.training.source} ({one.alike:.0%})" for one in worst)
    return (
        f"{split.near_duplicates} of {split.evaluation} evaluation prompts are near-duplicates of training prompts "
        f"({split.threshold:.0%} or more of their pairs of words in common), the most alike: {told}"
    )


def _kept(near: Near) -> NearDuplicate:
    return NearDuplicate(evaluation=near.evaluation.id, training=near.training.id, alike=round(near.alike, 3))
