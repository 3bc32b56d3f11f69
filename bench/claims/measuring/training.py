"""Trainings side by side: from the same weights, in the same steps, in turns; and what their tokens cost at least."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from measuring.models import threads
from measuring.products import Once, Passes, Products
from measuring.result import Bound, Result, at_least
from measuring.run_data import RunData
from measuring.script import result
from measuring.turns import median_seconds, seconds, tell
from solon.config.training import EpochsSection, OptimizerSection
from solon.models.tokens import pad_id
from solon.train.batches import cut, grouped_order
from solon.train.loop import TrainContext

BODY_SIDE_BY_SIDE = 2048
"""Tokens whose products are taken at once to learn this machine's rate: more are no faster."""
HEAD_SIDE_BY_SIDE = 512
HELD_OUT = 64
"""Rows that show what was learned, at most."""
SHARE = at_least(0.7)
"""Of the time of a training, what the products alone take."""

Section = TypeVar("Section", bound=OptimizerSection)
Epochs = TypeVar("Epochs", bound=EpochsSection)
Row = TypeVar("Row", bound=Sized)


class NoCheckpoints:
    """Keeps nothing."""

    def latest(self, like: object = None) -> None:
        return None

    def save(self, *state: object) -> None:
        pass


def train_context(data: RunData) -> TrainContext:
    """Of seed 0, in the run's arithmetic; nothing is kept and nobody told."""
    keep: Any = NoCheckpoints()
    pad = pad_id(data.tokenizer)
    return TrainContext(seed=0, pad_id=pad, dtype=data.dtype, checkpoints=keep, progress=lambda *_: None)


def constant(section: Section) -> Section:
    """The run's own section, but for a learning rate that stays what it is: how others let it fall differs."""
    return section.model_copy(update={"final_share": 1.0, "warmup_steps": 0, "epochs": 1})


class Side(Protocol):
    """One who trains."""

    def begin(self) -> None:
        """Back to the weights that all sides begin with. Not measured."""

    def train(self) -> object:
        """All steps. Measured."""


def seconds_of(side: Side) -> float:
    """Of one training."""
    side.begin()
    return seconds(side.train)


def taught(groups: Sequence[str], count: int, batch_size: int) -> tuple[list[int], list[int]]:
    """(rows to learn from, rows held out): at most `count`, and nine tenths of all, in whole steps; of the others, at
    most `HELD_OUT` of prompts that nobody learns from. Rows of one prompt stand together."""
    mixed = grouped_order(groups, 0, "bench")
    size = min(count, len(mixed) * 9 // 10) // batch_size * batch_size
    known = {groups[row] for row in mixed[:size]}
    return mixed[:size], [row for row in mixed[size:] if groups[row] not in known][:HELD_OUT]


@dataclass(frozen=True, kw_only=True)
class Lesson(ABC, Generic[Epochs, Row]):
    """What both sides learn: rows in steps, those of a prompt in one."""

    STAGE: ClassVar[str]
    """Which training of Solon's."""
    data: RunData
    section: Epochs
    examples: Sequence[Row]
    """Whole steps of them."""
    held_out: Sequence[Row]

    @staticmethod
    @abstractmethod
    def prompt_of(row: Row) -> str:
        """What names its prompt."""

    @classmethod
    def of(cls, data: RunData, section: Epochs, every: Sequence[Row], count: int) -> Self:
        """Of so many rows, or as many as there are when a tenth is held out."""
        size = min(section.batch_size, count)
        learned, unseen = taught([cls.prompt_of(one) for one in every], count, size)
        return cls(
            data=data,
            section=constant(section).model_copy(update={"batch_size": size, "order": "prompts"}),
            examples=[every[row] for row in learned],
            held_out=[every[row] for row in unseen],
        )

    def steps(self) -> list[list[Row]]:
        """As Solon takes them."""
        order = grouped_order([self.prompt_of(one) for one in self.examples], 0, self.STAGE, 0)
        return [[self.examples[row] for row in rows] for rows in cut(order, self.section.batch_size)]

    def padded_least(self) -> list[Row]:
        """The rows of all steps, those of each by their length."""
        return [row for step in self.steps() for row in sorted(step, key=len)]

    def few(self) -> Self:
        return replace(self, examples=self.examples[: 2 * self.section.batch_size])


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Tokens that must be computed, and the products that each takes."""

    tokens: int
    passes: Passes


def training_costs(products: Products, once: Once) -> list[Cost]:
    """Of one reading forward and backward."""
    body = Cost(tokens=once.read, passes=products.body(BODY_SIDE_BY_SIDE, backward=True))
    head = Cost(tokens=once.predicting, passes=products.head(HEAD_SIDE_BY_SIDE, backward=True))
    return [body, head] if once.predicting else [body]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What is trained, by whom, and what is promised."""

    claim: str
    setting: str
    peer: str
    solon: Side
    other: Side
    amount: float
    """Of what is counted, e.g. pairs, in one turn."""
    unit: str
    asked: Bound
    tokens: int
    """That must be computed once."""
    costs: Sequence[Cost]
    quality: Callable[[], str]
    """What both sides have learned after the last turn, in words."""

    def results(self, repetitions: int) -> Iterator[Result]:
        """Solon beside the other, then beside the products alone."""
        sides = {"solon": self.solon, self.peer: self.other}
        products = {f"products {number}": cost.passes for number, cost in enumerate(self.costs)}
        works = {name: side.train for name, side in sides.items()} | products
        times = median_seconds(works, repetitions, {name: side.begin for name, side in sides.items()})
        quality = self.quality()
        tell(quality)
        yield result(
            self.claim,
            setting=f"{self.setting}, {threads()} threads; {quality}",
            peer=self.peer,
            peer_figure=self.amount / times[self.peer],
            solon_figure=self.amount / times["solon"],
            unit=self.unit,
            asked=self.asked,
            packages=("trl",),
        )
        each = zip(self.costs, products, strict=True)
        yield result(
            f"{self.claim}: tokens that must be computed once",
            setting=f"{self.setting}, {threads()} threads",
            peer="matrix products alone",
            peer_figure=self.tokens / sum(cost.tokens * times[name] / cost.passes.tokens for cost, name in each),
            solon_figure=self.tokens / times["solon"],
            unit="tokens/s",
            asked=SHARE,
        )
