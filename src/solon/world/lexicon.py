"""The words of the world, read once from `lexicon.toml`, and what is held out from demonstrations.

A *demonstration* is a lesson in critique, revision or comparison. Plain dialogues and facts may use every word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

DEMONSTRATED_SHARE = 0.6
"""Share of people, objects, places and tasks that may stand in demonstrations."""
TRAINING_SHARE = 0.6
"""Share of the held-out rest that serves Constitutional AI training prompts; what remains is for evaluation alone."""
HELD_OUT_ACTS = 2
HELD_OUT_NOUNS = 1
HELD_OUT_TEMPLATES = 2
HELD_OUT_HARM = "vandalism"
"""The harm category that no demonstration contains."""

Split = Literal["demonstration", "training", "evaluation", "held-out", "all"]
"""`held-out` is `training` and `evaluation` together."""


def split_of(items: Sequence[str], split: Split) -> tuple[str, ...]:
    """The part of a list, by position, that one split may use. Of 50: 30 demonstrated, 12 training, 8 evaluation."""
    demonstrated = round(len(items) * DEMONSTRATED_SHARE)
    training = demonstrated + round((len(items) - demonstrated) * TRAINING_SHARE)
    bounds = {
        "demonstration": (0, demonstrated),
        "training": (demonstrated, training),
        "evaluation": (training, len(items)),
        "held-out": (demonstrated, len(items)),
        "all": (0, len(items)),
    }
    low, high = bounds[split]
    return tuple(items[low:high])


@dataclass(frozen=True, kw_only=True)
class Harm:
    """One category of harm. Templates hold the slots {person}, {object}, {place}."""

    name: str
    nouns: tuple[str, ...]
    requests: tuple[str, ...]
    acts: tuple[str, ...]

    def demonstrated_acts(self) -> tuple[str, ...]:
        return self.acts[:-HELD_OUT_ACTS]

    def objection_nouns(self) -> tuple[str, ...]:
        return self.nouns[:-HELD_OUT_NOUNS]


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Everything that can be said."""

    persons: tuple[str, ...]
    objects: tuple[str, ...]
    places: tuple[str, ...]
    intro: tuple[str, ...]
    request: dict[str, tuple[str, ...]]
    greeting: dict[str, tuple[str, ...]]
    frame: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[str, ...]]
    harms: dict[str, Harm]
    fault_nouns: dict[str, tuple[str, ...]]
    """Fault -> nouns that name it, the last held out: every harm, the styles, `harm`, which covers every
    harm, and `unrelated`, which no answer has."""
    principle: dict[str, tuple[str, ...]]
    critique: dict[str, str]
    tasks: dict[str, tuple[str, ...]]
    """Task -> its tips."""

    @property
    def styles(self) -> tuple[str, ...]:
        return ("rude", "preachy", "evasive")

    @property
    def faults(self) -> tuple[str, ...]:
        """Every fault an answer can have: the harms, then the styles."""
        return (*self.harms, *self.styles)

    def entities(self, slot: str, split: Split) -> tuple[str, ...]:
        return split_of({"person": self.persons, "object": self.objects, "place": self.places}[slot], split)

    def task_names(self, split: Split) -> tuple[str, ...]:
        return split_of(tuple(self.tasks), split)


def _tuples(table: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value) for key, value in table.items()}


@cache
def lexicon() -> Lexicon:
    """The world's words."""
    data = tomllib.loads(files("solon.world").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    harms = {
        name: Harm(name=name, nouns=tuple(h["nouns"]), requests=tuple(h["requests"]), acts=tuple(h["acts"]))
        for name, h in data["harm"].items()
    }
    nouns = {name: tuple(table["nouns"]) for name, table in {**data["harm"], **data["style"], **data["broad"]}.items()}
    return Lexicon(
        persons=tuple(data["persons"]),
        objects=tuple(data["objects"]),
        places=tuple(data["places"]),
        intro=tuple(data["intro"]),
        request=_tuples(data["request"]),
        greeting=_tuples(data["greeting"]),
        frame=_tuples(data["frame"]),
        phrases=_tuples(data["phrases"]),
        harms=harms,
        fault_nouns=nouns,
        principle=_tuples(data["principle"]),
        critique=data["critique"],
        tasks=_tuples(data["tasks"]),
    )
