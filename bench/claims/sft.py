"""Supervised finetuning on a run's own revisions and helpful answers: useful tokens per second beside TRL's SFTTrainer.

Both sides begin with the same weights and take the same steps: the same rows in each, the same loss on the answers, the
same optimizer at the same constant learning rate. Useful tokens are those of all rows, prompt and answer, padding not
counted, the same number for both. TRL gets ids and labels ready-made, the rows of a step sorted by length, and the
settings at which it is fastest here (`peers/trl_settings.py`).

WHAT DIFFERS: Solon computes a beginning that rows of one step share once, and keeps the rows of a prompt in one step,
which the other then has too. TRL's packing is left out, since it would make other steps; its padding-free batches are
tried, which compute as few tokens. Beside the speed stands the loss on rows of other prompts after the same steps.

The second figure is the share of the time that the products of the tokens alone would take, each beginning that rows of
one step share read once.

    python bench/claims/sft.py [--quick] [--rows DEMONSTRATIONS] [--model FOLDER] [--run FINISHED_RUN ...]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from measuring.products import Once, Products
from measuring.result import Bound, Result, at_least
from measuring.run_data import EMBEDDED_MODEL, SMOLLM2, RunData, Subject, run_data
from measuring.script import Options, run
from measuring.training import Contest, Lesson, train_context, training_costs
from measuring.turns import tell
from peers.trl_settings import Settings, dataset
from peers.trl_side import AS_GIVEN, Trl, at_its_best, labelled
from solon.config.training import SFTSection
from solon.models.load import load_model
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.sft import finetune


@dataclass(frozen=True, kw_only=True)
class Demonstrations(Lesson[SFTSection, TokenExample]):
    """What both sides learn."""

    STAGE = "sft"

    @staticmethod
    def prompt_of(row: TokenExample) -> str:
        return row.prompt

    @classmethod
    def of_run(cls, data: RunData, rows: int) -> Demonstrations:
        """As `of`."""
        return cls.of(data, data.config.sft, data.demonstrations(), rows)

    @torch.no_grad()
    def loss(self, trained: PreTrainedModel) -> float:
        """Nats per counted token of the rows held out, by a model of these weights."""
        model = load_model(self.data.base, dtype=torch.float32, device="cpu").model
        model.load_state_dict(trained.state_dict())
        reader = Reader(model, pad_id=0, dtype=torch.float32)
        said = torch.cat([reader.logp(reader.collate_examples([one])) for one in self.held_out])
        return -float(said.mean())


class Solon:
    """Solon's own finetuning."""

    def __init__(self, lesson: Demonstrations):
        self.lesson = lesson

    def begin(self) -> None:
        self.model = load_model(self.lesson.data.base, dtype=torch.float32, device="cpu").model

    def train(self) -> object:
        return finetune(self.model, self.lesson.examples, self.lesson.section, train_context(self.lesson.data))


class Finetuning(Trl[Demonstrations]):
    """TRL's, in given settings."""

    def built(self, trl: Any) -> Any:
        args = trl.SFTConfig(**self.arguments, **AS_GIVEN, padding_free=self.settings.padding_free)
        return trl.SFTTrainer(
            model=str(self.folder),
            args=args,
            train_dataset=dataset([labelled(one) for one in self.lesson.padded_least()]),
            processing_class=self.tokenizer,
        )


def trl_at_its_best(lesson: Demonstrations) -> Settings:
    """As `at_its_best`."""
    return at_its_best(Finetuning, lesson, max(map(len, lesson.examples)), padding_free=True)


def contest(subject: Subject, data: RunData, rows: int, asked: Bound) -> Contest:
    """TRL's settings are found here."""
    lesson = Demonstrations.of_run(data, rows)
    tell("warming: solon")
    warm = Solon(lesson.few())
    warm.begin()
    before = lesson.loss(warm.model)
    warm.train()
    found = trl_at_its_best(lesson)
    solon, other, once = Solon(lesson), Finetuning(lesson, found), Once.of(lesson.steps())

    def quality() -> str:
        after, peers = lesson.loss(solon.model), lesson.loss(other.trainer.model)
        return f"held-out loss {before:.3f}, after it {after:.3f}, TRL's {peers:.3f}"

    return Contest(
        claim=f"SFT, {subject.name}",
        setting=f"{len(lesson.examples)} rows, a prompt's together, steps of {lesson.section.batch_size}, TRL: {found}",
        peer="TRL SFTTrainer",
        solon=solon,
        other=other,
        amount=sum(map(len, lesson.examples)),
        unit="useful tokens/s",
        asked=asked,
        tokens=once.read,
        costs=training_costs(Products(data.base, data.dtype), once),
        quality=quality,
    )


def measure(options: Options) -> Iterator[Result]:
    for subject, full, asked in ((EMBEDDED_MODEL, 1280, at_least(4)), (SMOLLM2, 128, at_least(3))):
        with run_data(subject, options) as data:
            yield from contest(subject, data, options.size(full, 8), asked).results(options.repetitions)


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
