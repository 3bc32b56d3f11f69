"""Which rows of a file a run keeps: some to train with, some held out.

A first pass notes a few numbers per row and chooses; a second one reads the chosen rows. So the file may be larger than
memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from solon.config.prompts import PromptsSection
from solon.data.examples import helpful_example, red_team_example
from solon.data.reading import Example, Parse, Reading
from solon.data.split import Survey
from solon.errors import PromptError, Where


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a run keeps of a file, in the order of the file."""

    training: tuple[Example, ...]
    evaluation: tuple[Example, ...]
    """As evidence their prompts alone serve."""


NOTHING = Selection(training=(), evaluation=())
"""Of a file that was not given."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the first pass through a file decided."""

    first: Reading
    """That pass, and what it left out."""
    parse: Parse
    training: frozenset[int]
    """Numbers of rows."""
    evaluation: frozenset[int]

    def read(self) -> Selection:
        """The second pass. Raises `PromptError` if the file has changed."""
        wanted = self.training | self.evaluation
        examples = list(Reading(self.first.source, self.first.how).examples(self.parse, only=wanted))
        if len(examples) != len(wanted):
            raise PromptError("the file has changed while it was read", where=Where(self.first.source))
        return Selection(
            training=tuple(example for example in examples if example.row in self.training),
            evaluation=tuple(example for example in examples if example.row in self.evaluation),
        )


def choose_red_team(source: str | Path, section: PromptsSection, seed: int) -> Choice:
    """At most `harmful + mixed` prompts to train with, and about `evaluation` that open in another way.

    Raises `PromptError` with every fault of the file; or if all prompts open alike, or none is left to train with.
    """
    reading = Reading(source, section)
    prompts = Survey.of(reading.examples(red_team_example), source, seed)
    reading.refuse_unless(bool(prompts), "prompt")
    held = prompts.held_out(section.evaluation)
    risky = ~held & ~prompts.benign_N
    if not risky.any():
        what = "no red-team prompts to train with: all but those held out are benign"
        raise PromptError(what, where=Where(source), hint="give more prompts of kind harmful or mixed")
    kept = prompts.choose(risky, section.harmful + section.mixed)
    reading.dropped.update(
        {
            "duplicate": prompts.duplicates,
            "benign among the red-team prompts": int(np.sum(~held & ~risky)),
            "more than asked for": int(np.sum(risky & ~kept)),
        }
    )
    return Choice(first=reading, parse=red_team_example, training=prompts.rows(kept), evaluation=prompts.rows(held))


def choose_helpful(source: str | Path, section: PromptsSection, seed: int) -> Choice:
    """Everything about at most `benign` prompts, and about `evaluation` others. A single prompt can only train.

    Raises `PromptError` with every fault of the file; or if all prompts open alike.
    """
    reading, parse = Reading(source, section), partial(helpful_example, how=section)
    examples = Survey.of(reading.examples(parse), source, seed)
    reading.refuse_unless(bool(examples), "helpfulness example")
    prompts = examples.once("prompt")
    held = prompts.held_out(section.evaluation) if len(prompts) > 1 else np.zeros(1, dtype=bool)
    kept = prompts.choose(~held, section.benign)
    taught, of_held = (
        np.isin(examples.entries_N["prompt"], prompts.entries_N["prompt"][mask]) for mask in (kept, held)
    )
    reading.dropped.update(
        {
            "duplicate": examples.duplicates,
            "of a held-out prompt": int(np.sum(of_held)) - int(np.sum(held & prompts.alone_N)),
            "more than asked for": int(np.sum(~taught & ~of_held)),
        }
    )
    return Choice(first=reading, parse=parse, training=examples.rows(taught), evaluation=prompts.rows(held))
