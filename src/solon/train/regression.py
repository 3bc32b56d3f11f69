"""A regressor of ratings: how harmful a whole dialogue is, from 0 to 4 (CAI section 4.5, figure 10).

It is the preference model's network, a head on the last token, but learns ratings themselves by their squared error. It
starts at their mean, which is kept with it: the head has no bias. Raters were not calibrated against each other, so a
score compares answers; it is no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from solon.config.training import PreferenceSection
from solon.models.heads import PreferenceModel
from solon.train.forward import Reader
from solon.train.loop import TrainContext, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, squared_error
from solon.train.preference import scored


@dataclass(frozen=True, kw_only=True)
class RatedExample:
    """A dialogue as the model reads it, and its rating."""

    id: str
    about: str
    """Dialogues about the same are held out together."""
    ids: tuple[int, ...]
    rating: float

    def __len__(self) -> int:
        return len(self.ids)


def train_regressor(
    model: PreferenceModel, examples: Sequence[RatedExample], section: PreferenceSection, context: TrainContext
) -> list[TrainStep]:
    """Trains `model` in place towards rating minus `model.rating_mean`, and returns one record per optimizer step."""
    if not examples:
        raise ValueError("no rated dialogues to train on")
    mean = sum(one.rating for one in examples) / len(examples)
    model.rating_mean = mean
    with torch.no_grad():
        model.head.weight.zero_()
    reader = Reader(model.backbone, pad_id=context.pad_id, dtype=context.dtype)

    def loss_of(rows: list[int]) -> SumAndWeight:
        score_B = scored(model, reader, [examples[row].ids for row in rows])
        rating_B = torch.tensor([examples[row].rating - mean for row in rows], device=score_B.device)
        return squared_error(score_B, rating_B)

    return train_epochs(
        Trainer({"model": model}, section, group=context.group, seed=context.seed),
        loss_of,
        reader,
        context,
        stage="regressor",
        section=section,
        ids=[one.id for one in examples],
        prompts=[one.about for one in examples],
        weights=[1.0] * len(examples),
        rows_of=lambda index: [examples[index].ids],
    )
