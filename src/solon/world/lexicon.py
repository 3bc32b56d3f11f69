"""The words of the world, read once from `lexicon.toml`, and what is held out from demonstrations.

A *demonstration* is a lesson in critique, revision or comparison. Plain dialogues and facts may use every word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from solon.records import Record

DEMONSTRATED_SHARE = 0.6
"""Share of people, objects, places and tasks that may stand in demonstrations."""
TRAINING_SHARE = 0.6
"""Share of the held-out rest that serves Constitutional AI training prompts; what remains is for evaluation alone."""
HELD_OUT_ACTS = 2
HELD_OUT_NOUNS = 1
HELD_OUT_TEMPLATES = 2
OBJECTION_NOUNS = 3
"""Of each harm, from the first: what objections call it."""
HELD_OUT_HARM = "vandalism"
"""The harm category that no demonstration contains."""

Split = Literal["demonstration", "training", "evaluation", "held-out", "all"]
"""`held-out` is `training` and `evaluation` together."""
Texts = tuple[str, ...]


def split_of(items: Sequence[str], split: Split) -> Texts:
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


class Harm(Record):
    """One category of harm. Templates hold the slots {person}, {object}, {place}."""

    name: str
    nouns: Texts
    requests: Texts
    acts: Texts

    def demonstrated_acts(self) -> Texts:
        return self.acts[:-HELD_OUT_ACTS]

    def objection_nouns(self) -> Texts:
        return self.nouns[:OBJECTION_NOUNS]


class Lexicon(Record):
    """Everything that can be said."""

    persons: Texts
    objects: Texts
    places: Texts
    intro: Texts
    request: dict[str, Texts]
    greeting: dict[str, Texts]
    frame: dict[str, Texts]
    phrases: dict[str, Texts]
    harms: dict[str, Harm]
    fault_nouns: dict[str, Texts]
    """Fault -> nouns that name it, the last held out: every harm, the styles, `harm`, which covers every
    harm, and `unrelated`, which no answer has."""
    principle: dict[str, Texts]
    """Use -> templates with the slot {terms}, the last two held out."""
    judging: dict[str, Texts]
    """Other questions about two answers, the last two of each kind held out. `against` turns a comparison's {question}
    round, `nothing` names nothing."""
    critique: dict[str, str]
    readings: dict[str, str]
    """Kind of sentence -> what the oracle says that it is."""
    tasks: dict[str, Texts]
    """Task -> its tips."""

    @property
    def styles(self) -> Texts:
        return ("rude", "preachy", "evasive")

    @property
    def faults(self) -> Texts:
        """Every fault an answer can have: the harms, then the styles."""
        return (*self.harms, *self.styles)

    def entities(self, slot: str, split: Split) -> Texts:
        return split_of({"person": self.persons, "object": self.objects, "place": self.places}[slot], split)

    def task_names(self, split: Split) -> Texts:
        return split_of(tuple(self.tasks), split)


@cache
def lexicon() -> Lexicon:
    """The world's words."""
    data = tomllib.loads(files("solon.world").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    harms = {name: {"name": name, **table} for name, table in data.pop("harm").items()}
    named = {**harms, **data.pop("style"), **data.pop("broad")}
    nouns = {name: table["nouns"] for name, table in named.items()}
    return Lexicon.model_validate({**data, "harms": harms, "fault_nouns": nouns})
