"""A dialogue with several models, as the form of a page carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from solon.records import Turn
from solon.web.forms import Form

ASKED, SEED, TEMPERATURE, SAID = "asked", "asked-seed", "asked-temperature", "said-{model}"
"""Names of the hidden fields: what was asked and how, and what each model answered; "" where it did not."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A question, and who answered what."""

    asked: str
    seed: str
    temperature: str
    said: Mapping[str, str]
    """By model."""
    cut_off: frozenset[str] = frozenset()
    """Models whose answer the token limit ended."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Why a model gave no answer, by model."""


def read(form: Form, models: Sequence[str]) -> list[Exchange]:
    """What a form carries. What is not there was not said."""
    names = (ASKED, SEED, TEMPERATURE, *(SAID.format(model=model) for model in models))
    rows = zip_longest(*(form.all(name) for name in names), fillvalue="")
    return [
        Exchange(asked=asked, seed=seed, temperature=heat, said=dict(zip(models, said, strict=True)))
        for asked, seed, heat, *said in rows
    ]


def turns(exchanges: Sequence[Exchange], model: str, asked: str) -> tuple[Turn, ...]:
    """The dialogue with one model, up to what it is asked now; without questions that it did not answer."""
    answered = [(one.asked, one.said[model]) for one in exchanges if one.said.get(model)]
    before = [
        turn for ask, say in answered for turn in (Turn(role="human", text=ask), Turn(role="assistant", text=say))
    ]
    return (*before, Turn(role="human", text=asked))
