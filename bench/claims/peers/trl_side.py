"""TRL's trainings as a side of a claim, and rows as they take them."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import torch

from measuring.run_data import RunData
from measuring.training import Side, seconds_of
from peers.trl_settings import Settings, fastest, padded, silent
from solon.config.training import OptimizerSection
from solon.models.load import load_tokenizer
from solon.train.batches import TokenExample
from solon.train.preference import PreferenceExample

AS_GIVEN = {"train_sampling_strategy": "sequential", "max_length": None}
"""Arguments of trainers whose rows come in the order in which they are to be read, and whole."""


class Taught(Protocol):
    """What a side learns."""

    @property
    def data(self) -> RunData: ...

    @property
    def section(self) -> OptimizerSection: ...

    def few(self) -> Self:
        """Little of it."""


Learned = TypeVar("Learned", bound=Taught)


class Trl(ABC, Generic[Learned]):
    """A training in given settings."""

    def __init__(self, lesson: Learned, settings: Settings):
        self.lesson, self.settings = lesson, settings
        self.tokenizer = padded(load_tokenizer(self.folder))

    @property
    def folder(self) -> Path:
        """Of the model that it begins with."""
        return self.lesson.data.base

    def begin(self) -> None:
        self.trainer = silent(lambda: self.built(import_module("trl")))

    def train(self) -> object:
        return self.trainer.train()

    @abstractmethod
    def built(self, trl: Any) -> Any:
        """The trainer, with the weights that all sides begin with."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As `Settings.arguments`."""
        return self.settings.arguments(self.lesson.section, tempfile.gettempdir())


def at_its_best(
    side: Callable[[Learned, Settings], Side], lesson: Learned, longest: int, *, padding_free: bool = False
) -> Settings:
    """The settings at which a side is fastest, found with little of the work. `longest`: tokens of a row."""
    data = lesson.data
    return fastest(
        lesson.section.batch_size,
        data.most_rows(longest),
        bf16=data.dtype == torch.bfloat16,
        padding_free=padding_free,
        seconds=lambda settings: seconds_of(side(lesson.few(), settings)),
    )


def labelled(example: TokenExample) -> dict[str, list[int]]:
    """A row of `SFTTrainer`'s, whose loss is on what counts alone."""
    pairs = zip(example.input_ids, example.loss_mask, strict=True)
    return {"input_ids": list(example.input_ids), "labels": [token if counts else -100 for token, counts in pairs]}


def ranked(pair: PreferenceExample, drawn: float) -> dict[str, list[int]]:
    """A row of `RewardTrainer`'s, with a hard label: the first is chosen where the number drawn from [0, 1) is below
    its probability."""
    a, b = list(pair.a_ids), list(pair.b_ids)
    first = drawn < pair.p_a_preferred
    return {"chosen_ids": a, "rejected_ids": b} if first else {"chosen_ids": b, "rejected_ids": a}
