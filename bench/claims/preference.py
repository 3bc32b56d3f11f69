"""Training a preference model on a run's own comparisons: pairs per second beside TRL's RewardTrainer.

Both sides begin with the same weights, head included, and take the same steps: the same pairs in each, the same
optimizer at the same constant learning rate. TRL gets ids ready-made, the pairs of a step sorted by length, and the
settings at which it is fastest here (`peers/trl_settings.py`).

WHAT DIFFERS: Solon computes what the two answers of a pair, and the pairs of one prompt, share once. TRL knows hard
labels alone, so both sides learn those: a verdict above one half is sure, and ties are left out. Beside the speed
stands the loss on pairs of other prompts after the same steps.

The second figure is the share of the time that the products of the tokens alone would take, each beginning that rows of
one step share read once.

    python bench/claims/preference.py [--quick] [--rows PAIRS] [--model FOLDER] [--run FINISHED_RUN ...]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from measuring.products import Once, Products, distinct_tokens
from measuring.result import Bound, Result, at_least
from measuring.run_data import EMBEDDED_MODEL, SMOLLM2, RunData, Subject, run_data
from measuring.script import Options, run
from measuring.training import Contest, Lesson, train_context, training_costs
from measuring.turns import tell
from peers.trl_settings import Settings, dataset
from peers.trl_side import AS_GIVEN, Trl, at_its_best, ranked
from solon.config.training import PreferenceSection
from solon.models.heads import PreferenceModel
from solon.models.load import load_model
from solon.train.preference import PreferenceExample, margins, train_preference


@dataclass(frozen=True, kw_only=True)
class Comparisons(Lesson[PreferenceSection, PreferenceExample]):
    """What both sides learn."""

    STAGE = "preference"

    @staticmethod
    def prompt_of(row: PreferenceExample) -> str:
        return row.prompt_id

    @classmethod
    def of_run(cls, data: RunData, pairs: int) -> Comparisons:
        """As `of`."""
        return cls.of(data, data.config.preference, data.comparisons(), pairs)

    def model(self) -> PreferenceModel:
        """That all begin with."""
        return PreferenceModel(load_model(self.data.base, dtype=torch.float32, device="cpu").model)

    def loss(self, model: PreferenceModel) -> float:
        """Nats per pair held out."""
        margin_B = torch.tensor(margins(model, self.held_out, pad_id=0))
        sign_B = torch.tensor([2 * pair.p_a_preferred - 1 for pair in self.held_out])
        return -float(F.logsigmoid(sign_B * margin_B).mean())


class Solon:
    """Solon's own training."""

    def __init__(self, lesson: Comparisons):
        self.lesson = lesson

    def begin(self) -> None:
        self.model = self.lesson.model()

    def train(self) -> object:
        lesson = self.lesson
        return train_preference(self.model, lesson.examples, lesson.section, train_context(lesson.data))


class Rewarding(Trl[Comparisons]):
    """TRL's, in given settings."""

    def built(self, trl: Any) -> Any:
        trainer = trl.RewardTrainer(
            model=str(self.folder),
            args=trl.RewardConfig(**self.arguments, **AS_GIVEN),
            train_dataset=dataset([ranked(pair, 0.5) for pair in self.lesson.padded_least()]),
            processing_class=self.tokenizer,
        )
        with torch.no_grad():
            trainer.model.score.weight.copy_(self.lesson.model().head.weight)
        return trainer

    @torch.no_grad()
    def model(self) -> PreferenceModel:
        """What was trained, as Solon's kind of model."""
        model, trained = self.lesson.model(), self.trainer.model
        model.head.weight.copy_(trained.score.weight)
        model.backbone.load_state_dict(trained.base_model.state_dict())
        return model


def trl_at_its_best(lesson: Comparisons) -> Settings:
    """As `at_its_best`."""
    return at_its_best(Rewarding, lesson, 2 * max(map(len, lesson.examples)))


def contest(subject: Subject, data: RunData, pairs: int, asked: Bound) -> Contest:
    """TRL's settings are found here."""
    lesson = Comparisons.of_run(data, pairs)
    tell("warming: solon")
    warm = Solon(lesson.few())
    warm.begin()
    before = lesson.loss(warm.model)
    warm.train()
    size, found = lesson.section.batch_size, trl_at_its_best(lesson)
    solon, other = Solon(lesson), Rewarding(lesson, found)
    read = sum(distinct_tokens([ids for pair in step for ids in (pair.a_ids, pair.b_ids)]) for step in lesson.steps())

    def quality() -> str:
        after, peers = lesson.loss(solon.model), lesson.loss(other.model())
        return f"held-out loss {before:.3f}, after it {after:.3f}, TRL's {peers:.3f}"

    return Contest(
        claim=f"preference model, {subject.name}",
        setting=f"{len(lesson.examples)} pairs, a prompt's together, steps of {size}, TRL: {found}",
        peer="TRL RewardTrainer",
        solon=solon,
        other=other,
        amount=len(lesson.examples),
        unit="pairs/s",
        asked=asked,
        tokens=read,
        costs=training_costs(Products(data.base, data.dtype), Once(read=read, predicting=0)),
        quality=quality,
    )


def measure(options: Options) -> Iterator[Result]:
    for subject, full, asked in ((EMBEDDED_MODEL, 640, at_least(1.8)), (SMOLLM2, 64, at_least(2.5))):
        with run_data(subject, options) as data:
            yield from contest(subject, data, options.size(full, 8), asked).results(options.repetitions)


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
