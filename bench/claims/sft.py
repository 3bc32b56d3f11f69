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

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import torch
from transformers import PreTrainedModel

from measuring.products import Once, Products
from measuring.result import Bound, Result, at_least
from measuring.run_data import EMBEDDED_MODEL, SMOLLM2, RunData, Subject, run_data
from measuring.script import Options, run
from measuring.training import Contest, constant, seconds_of, taught, train_context, training_costs
from measuring.turns import tell
from peers.trl_settings import Settings, dataset, fastest, padded, silent
from solon.config.training import SFTSection
from solon.models.load import load_model, load_tokenizer
from solon.train.batches import TokenExample, cut, grouped_order
from solon.train.forward import Reader
from solon.train.sft import finetune


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What both sides learn."""

    data: RunData
    section: SFTSection
    examples: Sequence[TokenExample]
    """Whole steps of them."""
    held_out: Sequence[TokenExample]

    @classmethod
    def of(cls, data: RunData, rows: int) -> Lesson:
        """Of so many rows, or as many as there are when a tenth is held out."""
        every, section = data.demonstrations(), constant(data.config.sft)
        size = min(section.batch_size, rows)
        learned, unseen = taught([one.prompt for one in every], rows, size)
        return cls(
            data=data,
            section=section.model_copy(update={"batch_size": size, "order": "prompts"}),
            examples=[every[row] for row in learned],
            held_out=[every[row] for row in unseen],
        )

    def steps(self) -> list[list[TokenExample]]:
        """As Solon takes them."""
        order = grouped_order([one.prompt for one in self.examples], 0, "sft", 0)
        return [[self.examples[row] for row in rows] for rows in cut(order, self.section.batch_size)]

    def few(self) -> Lesson:
        return replace(self, examples=self.examples[: 2 * self.section.batch_size])

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

    def __init__(self, lesson: Lesson):
        self.lesson = lesson

    def begin(self) -> None:
        self.model = load_model(self.lesson.data.base, dtype=torch.float32, device="cpu").model

    def train(self) -> object:
        return finetune(self.model, self.lesson.examples, self.lesson.section, train_context(self.lesson.data))


class Trl:
    """TRL's, in given settings."""

    def __init__(self, lesson: Lesson, settings: Settings):
        self.lesson, self.settings = lesson, settings
        self.tokenizer = padded(load_tokenizer(lesson.data.base))

    def begin(self) -> None:
        self.trainer = silent(self._built)

    def train(self) -> object:
        return self.trainer.train()

    def _built(self) -> Any:
        trl: Any = import_module("trl")

        arguments = self.settings.arguments(self.lesson.section, tempfile.gettempdir())
        more: dict[str, Any] = {"train_sampling_strategy": "sequential", "max_length": None}
        args = trl.SFTConfig(**arguments, **more, padding_free=self.settings.padding_free)
        rows = [one for step in self.lesson.steps() for one in sorted(step, key=len)]
        return trl.SFTTrainer(
            model=str(self.lesson.data.base),
            args=args,
            train_dataset=dataset([_labelled(one) for one in rows]),
            processing_class=self.tokenizer,
        )


def _labelled(example: TokenExample) -> dict[str, list[int]]:
    ids = example.input_ids
    labels = [token if counts else -100 for token, counts in zip(ids, example.loss_mask, strict=True)]
    return {"input_ids": list(ids), "labels": labels}


def trl_at_its_best(lesson: Lesson) -> Settings:
    """Found with little of the work."""
    data, longest = lesson.data, max(map(len, lesson.examples))
    return fastest(
        lesson.section.batch_size,
        data.most_rows(longest),
        bf16=data.dtype == torch.bfloat16,
        padding_free=True,
        seconds=lambda settings: seconds_of(Trl(lesson.few(), settings)),
    )


def contest(subject: Subject, data: RunData, rows: int, asked: Bound) -> Contest:
    """TRL's settings are found here."""
    lesson = Lesson.of(data, rows)
    tell("warming: solon")
    warm = Solon(lesson.few())
    warm.begin()
    before = lesson.loss(warm.model)
    warm.train()
    size, found = lesson.section.batch_size, trl_at_its_best(lesson)
    solon, other, once = Solon(lesson), Trl(lesson, found), Once.of(lesson.steps())

    def quality() -> str:
        after, peers = lesson.loss(solon.model), lesson.loss(other.trainer.model)
        return f"held-out loss {before:.3f}, after it {after:.3f}, TRL's {peers:.3f}"

    return Contest(
        claim=f"SFT, {subject.name}",
        setting=f"{len(lesson.examples)} rows, a prompt's together, steps of {size}, TRL: {found}",
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
