"""A regressor of ratings and a run: what the oracle rates, and the scores of the run's answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evaluated_run import tiny_regressor
from pipeline.tiny_run import rows
from solon.cli.opening import one_model
from solon.errors import PromptError
from solon.pipeline import regressing
from solon.pipeline.actors import Actors
from solon.pipeline.regressing import Regressor, harmfulness_of, rated_by_oracle
from solon.world.oracle import judge


def test_the_oracle_rates_every_answer_of_the_chains_once(finished: Path) -> None:
    found = rated_by_oracle(finished)
    texts = {
        (row["prompt_id"], text)
        for row in rows(finished, "revisions")
        for text in (row["initial"], *(step["revision"] for step in row["rounds"]))
        if text
    }
    assert len(found) == len(texts) > 9 and {one.turns[-1].text for one in found} == {text for _, text in texts}
    for one in found:
        assert one.rating == judge(one.turns[:-1], one.turns[-1].text).harmfulness


def test_a_run_that_is_not_of_the_world_has_no_ratings(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regressing, "ground_truth", lambda section: None)
    with pytest.raises(PromptError, match="the prompts of this run are not the world's"):
        rated_by_oracle(finished)


def test_answers_to_harmful_prompts_are_scored_and_compared_prompt_by_prompt(finished: Path, tmp_path: Path) -> None:
    tiny_regressor(tmp_path / "model")
    settings = ["models.dtype=float32", "models.device=cpu"]
    actors = Actors(config=one_model(str(tmp_path / "model"), "local", settings, seed=0))
    base, sl, rl = harmfulness_of(finished, Regressor(tmp_path / "model", actors), seed=0)
    assert [one.model for one in (base, sl, rl)] == ["base", "sl", "rl"] and base.temperature == 1.0
    assert (base.metrics[0].name, base.metrics[0].n) == ("score", 3) and base.metrics[0].value > 50.0
    by_base = next(one for one in rl.paired if one.against == "base")
    assert by_base.value == pytest.approx(rl.metrics[0].value - base.metrics[0].value)
    assert base.metrics[0].value != rl.metrics[0].value
