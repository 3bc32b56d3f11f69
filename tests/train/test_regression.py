"""The regressor of ratings: the loss, and that it learns what it is given and not something else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from solon.config.training import PreferenceSection
from solon.models.heads import PreferenceModel
from solon.train.losses import squared_error
from solon.train.preference import scores
from solon.train.regression import RatedExample, train_regressor
from tiny_models import tiny_model, tiny_tokenizer
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context

SECTION = PreferenceSection(learning_rate=3e-3, batch_size=4, epochs=12, final_share=1.0, checkpoint_steps=2)


def examples(*, reverse: bool = False) -> list[RatedExample]:
    """The rating is how often one token occurs in the dialogue."""
    rows = [(n, [20, *([30] * (n % 5)), *([40] * (4 - n % 5)), 50 + n % 3, 3]) for n in range(16)]
    return [
        RatedExample(id=str(n), about=str(n), ids=tuple(ids), rating=float(4 - n % 5 if reverse else n % 5))
        for n, ids in rows
    ]


def test_the_sum_of_the_docstring() -> None:
    total, weight = squared_error(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
    assert (float(total), float(weight)) == (5.0, 2.0)


@pytest.mark.parametrize("reverse", [False, True])
def test_it_learns_ratings_and_the_reverse_of_them(reverse: bool) -> None:
    rows, pad = examples(reverse=reverse), 0
    model = PreferenceModel(tiny_model())
    steps = train_regressor(model, rows, SECTION, train_context(pad_id=pad))
    mean = sum(one.rating for one in rows) / len(rows)
    found = [mean + score for score in scores(model, [one.ids for one in rows], pad_id=pad)]
    assert model.rating_mean == mean
    error = sum(abs(score - one.rating) for score, one in zip(found, rows, strict=True)) / len(rows)
    assert error < 0.4 and steps[-1].loss < 0.2 < 1.0 < steps[0].loss


def test_it_begins_at_the_mean_and_is_kept_with_it(tmp_path: Path) -> None:
    still = SECTION.model_copy(update={"learning_rate": 1e-30, "epochs": 1})
    model = PreferenceModel(tiny_model(), seed=3)
    train_regressor(model, examples(), still, train_context(pad_id=0))
    assert max(map(abs, scores(model, [one.ids for one in examples()], pad_id=0))) < 1e-6
    model.save(tmp_path, tiny_tokenizer())
    assert PreferenceModel.load(tmp_path, dtype=torch.float32, device="cpu").rating_mean == pytest.approx(
        sum(one.rating for one in examples()) / 16
    )
    PreferenceModel(tiny_model()).save(tmp_path / "plain", tiny_tokenizer())
    assert PreferenceModel.load(tmp_path / "plain", dtype=torch.float32, device="cpu").rating_mean is None


def test_killed_and_resumed_it_ends_with_the_same_bytes() -> None:
    whole, resumed, checkpoints = PreferenceModel(tiny_model()), PreferenceModel(tiny_model()), MemoryCheckpoints()
    want = train_regressor(whole, examples(), SECTION, train_context(pad_id=0))
    with pytest.raises(Killed):
        other = PreferenceModel(tiny_model())
        train_regressor(
            other, examples(), SECTION, train_context(pad_id=0, checkpoints=checkpoints, progress=killer(7))
        )
    assert train_regressor(resumed, examples(), SECTION, train_context(pad_id=0, checkpoints=checkpoints)) == want
    assert same_bytes(whole, resumed)
