"""Items that a model may have learned by heart: held against what a run trains on.

An item that says the words of a training text is not asked, and is counted with its reason; one that is nearly alike is
asked, and told. A text of at least `INSIDE` words is found inside an item too, as a question inside a dialogue with
options. GPT-3's authors (2005.14165, appendix C) take runs of 8 to 13 words that are in both for contamination.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.data.alike import ALIKE, Texts, same_words
from solon.data.apart import TOLD
from solon.evals.tasks import Item, Outcome
from solon.records import Record

INSIDE = 8
TAUGHT = "training has its words"


class LikeTraining(Record):
    """An item that is nearly a training text."""

    item: str
    """Its evaluation and its name there."""
    training: str
    alike: float
    """Share of their pairs of neighboring words that both have."""


class Overlap(Record):
    """What was found of one evaluation; kept in the manifest."""

    items: int
    left_out: int
    """Items that say the words of a training text."""
    near_duplicates: int
    threshold: float = ALIKE
    worst: tuple[LikeTraining, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Known:
    """An item that the run trains on: it is not asked."""

    item: Item

    @property
    def task(self) -> str:
        """As the item's."""
        return self.item.task

    @property
    def says(self) -> str:
        """As the item does."""
        return self.item.says

    async def ask(self, by: object) -> tuple[Outcome, ...]:
        """Unscored, and why."""
        return self.unasked(TAUGHT)

    def unasked(self, why: str) -> tuple[Outcome, ...]:
        """As of the item."""
        return self.item.unasked(why)


def held_apart(items: Sequence[Item], taught: Mapping[str, str]) -> tuple[list[Item], dict[str, Overlap]]:
    """The items, those that are taught as `Known`, and what was found of each evaluation. taught: training texts, by
    what they are called."""
    inside, near = _Inside(taught), _near(items, taught)
    found: list[Item] = [Known(item=item) if inside.has(item.says) else item for item in items]
    tasks = dict.fromkeys(item.task for item in items)
    return found, {task: _overlap(task, found, near) for task in tasks}


def warnings(found: Mapping[str, Overlap]) -> list[str]:
    """What the user should be told. Example: `gsm8k: 2 of 9 items are left out, for training has their words`."""
    told = []
    for task, one in found.items():
        if one.left_out:
            told.append(f"{task}: {one.left_out} of {one.items} items are left out, for training has their words")
        if one.near_duplicates:
            most = ", ".join(f"{it.item} and {it.training} ({it.alike:.0%})" for it in one.worst)
            what = f"{one.near_duplicates} of {one.items} items are near-duplicates of training texts"
            told.append(f"{task}: {what} ({one.threshold:.0%} or more of their pairs of words), the most alike: {most}")
    return told


def _overlap(task: str, items: Sequence[Item], near: Mapping[int, tuple[str, float]]) -> Overlap:
    own = {place: item for place, item in enumerate(items) if item.task == task}
    alike = {place: near[place] for place, item in own.items() if place in near and not isinstance(item, Known)}
    worst = sorted(alike.items(), key=lambda pair: (-pair[1][1], pair[0]))[:TOLD]
    return Overlap(
        items=len(own),
        left_out=sum(isinstance(item, Known) for item in own.values()),
        near_duplicates=len(alike),
        worst=tuple(
            LikeTraining(item=own[place].unasked("")[0].id, training=training, alike=round(alike_, 3))
            for place, (training, alike_) in worst
        ),
    )


def _near(items: Sequence[Item], taught: Mapping[str, str]) -> dict[int, tuple[str, float]]:
    """By place of the item, the training text that is most like it, and how much."""
    asked, best = Texts(), dict[int, tuple[str, float]]()
    for item in items:
        asked.add(item.says)
    for name, text in taught.items():
        for place, alike in asked.alike(text):
            if place not in best or alike > best[place][1]:
                best[place] = (name, alike)
    return best


class _Inside:
    """Texts that are found by their words, whole or, if they are long enough, inside another."""

    def __init__(self, taught: Mapping[str, str]) -> None:
        self._whole = {same_words(text) for text in taught.values()} - {""}
        self._by_start: defaultdict[tuple[str, ...], list[list[str]]] = defaultdict(list)
        for words in (text.split() for text in sorted(self._whole)):
            if len(words) >= INSIDE:
                self._by_start[tuple(words[:INSIDE])].append(words)

    def has(self, text: str) -> bool:
        if same_words(text) in self._whole:
            return True
        words = same_words(text).split()
        starts = range(len(words) - INSIDE + 1)
        return any(
            words[at : at + len(one)] == one
            for at in starts
            for one in self._by_start.get(tuple(words[at : at + INSIDE]), ())
        )
