"""Which evaluations there are: where their items come from, and what is measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from solon.config.evaluations import EvaluationsSection, PublishedSection
from solon.evals.tasks import Item, Outcome, Statistic
from solon.evals.tasks.answers import (
    GSM8K,
    PREACHINESS,
    REFUSALS,
    game_items,
    gsm8k_items,
    preachiness_items,
    refusal_items,
    with_boilerplate,
)
from solon.evals.tasks.choices import BBQ, HHH, bbq_items, opinion_items, question_items
from solon.evals.tasks.texts import PERPLEXITY, text_items
from solon.records import Prompt

QUESTIONS = ("hhh", "harm-or-ethical", "harm-type")
MEASURES: Mapping[str, Mapping[str, Statistic]] = {
    **dict.fromkeys(QUESTIONS, HHH),
    "bbq": BBQ,
    "refusals": REFUSALS,
    "preachiness": PREACHINESS,
    "gsm8k": GSM8K,
    "perplexity": PERPLEXITY,
}
_ITEMS: Mapping[str, Callable[[Any, Path], list[Item]]] = {
    **{name: partial(question_items, name) for name in QUESTIONS},
    "bbq": bbq_items,
    "opinions": opinion_items,
    "refusals": refusal_items,
    "preachiness": preachiness_items,
    "gsm8k": gsm8k_items,
    "perplexity": text_items,
}


def items_of(section: EvaluationsSection, held_out: Sequence[Prompt] = ()) -> list[Item]:
    """All that a model is asked, evaluation by evaluation. Raises `PromptError` for data that cannot be read."""
    found = [item for name, one in section.published() for item in items_in(name, one)]
    return found + (game_items(section.elo, held_out) if section.elo.prompts else [])


def items_in(name: str, section: PublishedSection) -> list[Item]:
    """Those of one evaluation on a file. Raises `PromptError`."""
    return _ITEMS[name](section, Path(section.data or ""))


def measures_of(name: str, outcomes: Iterable[Outcome]) -> Mapping[str, Statistic]:
    """What is measured; of opinions, the mean likeness to each group of people that the file has."""
    known = MEASURES.get(name)
    return dict.fromkeys((group for one in outcomes for group in one.values), "mean") if known is None else known


def together(name: str, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """With what takes all outcomes of one model at one temperature."""
    return with_boilerplate(outcomes) if name == "preachiness" else outcomes
