"""The rows that the page lets its reader browse: cards in plain lists, which a script only filters, orders and pages.

A page that holds every row of a long run would be slow to open, so each list has a cap on its rows and on their texts;
what is shown is spread evenly over the list, and the page says how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from markupsafe import Markup

from solon.records import Answer, Pair, Prompt, Revision
from solon.report.data import ReportData
from solon.report.run import cards
from solon.report.run.cards import Card, Facets, Grades, Piece
from solon.report.run.spread import spread

T = TypeVar("T")
LIMITS = {"chains": 200, "answers": 250, "comparisons": 300, "rollouts": 300, "left-out": 100}
"""Most rows of each list that one page holds; of answers and what was left out, prompts."""
BUDGET = 1_000_000
"""Characters of the texts of one list, prompts included. With five lists and all else the page stays below 10 MB."""
FACETS = {
    "kind": "Request",
    "category": "Harm in the answer",
    "round": "Round or step",
    "principle": "Principle",
    "grade": "Grade",
    "verdict": "Verdict",
    "kept": "Fate",
}
"""What cards and their pieces are filtered by, and how the page calls it."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One list."""

    key: str
    title: str
    cards: Sequence[Card]
    total: int
    where: str
    """What of the run's folder has all rows."""
    orders: Sequence[tuple[str, str, int]] = ()
    """Name, key and sign of each way to order it besides that of the run."""


def fitting(found: Sequence[Card], prompts: Mapping[str, Prompt], budget: int = BUDGET) -> list[Card]:
    """All of them, or so few, evenly spaced, that their texts fit the budget; one in any case."""
    asked = {one.prompt_id: cards.asked(prompts[one.prompt_id]) for one in found if one.prompt_id in prompts}
    sizes = {name: sum(len(text) for _, text in turns) for name, (_, turns) in asked.items()}
    kept = list(found)
    while len(kept) > 1 and sum(one.size + sizes.get(one.prompt_id, 0) for one in kept) > budget:
        kept = spread(found, len(kept) // 2)
    return kept


def readings(data: ReportData, limits: Mapping[str, int] = LIMITS) -> list[Reading]:
    """The lists that have rows."""
    grades = Grades(data.summary, data.scores)

    def listed(
        key: str, title: str, where: str, rows: Sequence[T], draw: Callable[[T], Card], *orders: tuple[str, str, int]
    ) -> Reading:
        made = fitting([draw(row) for row in spread(rows, limits[key])], data.prompts)
        return Reading(key=key, title=title, cards=made, total=len(rows), where=where, orders=orders)

    by_step = (("last step first", "step", -1), ("highest score", "score", -1), ("lowest score", "score", 1))
    certain = (("most certain", "certain", -1), ("least certain", "certain", 1))
    found = (
        listed(
            "chains",
            "Critique and revision",
            "revisions",
            data.revisions,
            lambda row: cards.chain(row, grades),
            ("most revised", "moved", -1),
        ),
        listed(
            "answers", "Before and after", "answers-*", _side_by_side(data), lambda one: cards.answered(*one, grades)
        ),
        listed(
            "comparisons",
            "Judged pairs",
            "comparisons and helpfulness",
            data.comparisons,
            lambda row: cards.compared(row, held_out=row.id in data.held_out),
            *certain,
        ),
        listed(
            "rollouts", "Reinforcement", "models/rl", data.rollouts, cards.rollout, *by_step, ("highest KL", "kl", -1)
        ),
        listed("left-out", "Left out", "prompts", _left_out(data), lambda one: cards.left_out(*one)),
    )
    return [one for one in found if one.total]


def _side_by_side(data: ReportData) -> list[tuple[str, Mapping[str, Answer]]]:
    """The answers of the evaluated models to each prompt."""
    found: dict[str, dict[str, Answer]] = {}
    for model, rows in data.answers.items():
        for row in rows:
            found.setdefault(row.prompt_id, {})[model] = row
    return list(found.items())


def _left_out(data: ReportData) -> list[tuple[Prompt, str, Sequence[str]]]:
    """Prompts that a stage was given and kept nothing of, with the stage and its reasons."""
    stages = {one.stage: one for one in data.manifests}
    rows: Mapping[str, Sequence[Revision | Pair]] = {"revisions": data.revisions, "pairs": data.pairs}
    kept = {stage: {row.prompt_id for row in own} for stage, own in rows.items()}
    also = data.helpful if data.config and data.config.pairs.helpful_per_prompt else ()
    given = {"revisions": [*data.red_team, *data.scenarios], "pairs": [*data.red_team, *also]}
    return [
        (data.prompts[name], stage, list(stages[stage].counts.dropped))
        for stage, names in given.items()
        if stage in stages
        for name in names
        if name not in kept[stage] and name in data.prompts
    ]


def options(found: Iterable[Reading], data: ReportData) -> dict[str, list[str]]:
    """The values of each facet that some card has; cards name a value by its place here."""
    seen: dict[str, dict[str, None]] = {name: {} for name in FACETS}
    for facets in chain.from_iterable(_facets(card, data) for reading in found for card in reading.cards):
        for name, values in facets.items():
            seen[name].update(dict.fromkeys(values))
    order = {one.id: place for place, one in enumerate(data.constitution.principles)} if data.constitution else {}
    known = {name: list(values) for name, values in seen.items()}
    known["principle"].sort(key=lambda name: order.get(name, len(order)))
    known["round"].sort(key=int)
    return known


def _facets(card: Card, data: ReportData) -> Iterator[Facets]:
    yield card.facets
    yield kind_of(card, data)
    yield from (one.facets for one in card.pieces)


def kind_of(card: Card, data: ReportData) -> Facets:
    """The kind of its prompt."""
    prompt = data.prompts.get(card.prompt_id)
    return {"kind": [prompt.kind]} if prompt else {}


def attributes_of(one: Card | Piece, data: ReportData, options: Mapping[str, Sequence[str]]) -> Markup:
    """Of a card also the kind of its prompt, and what it is ordered by."""
    found = attributes(one.facets, options)
    if isinstance(one, Piece):
        return found
    order = (Markup(' data-order-{}="{:.4g}"').format(key, value) for key, value in one.order.items())
    return found + attributes(kind_of(one, data), options) + Markup("").join(order)


def attributes(facets: Facets, options: Mapping[str, Sequence[str]]) -> Markup:
    """As data attributes: of each facet the places of its values. What a value says never stands in an attribute."""
    return Markup("").join(
        Markup(' data-{}="{}"').format(name, " ".join(str(options[name].index(value)) for value in values))
        for name, values in facets.items()
        if values
    )
