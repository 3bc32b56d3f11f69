"""A run whose judge sits on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from lm.server import serving
from pipeline.tiny_run import manifest, rows, run_in, world_config
from solon.errors import UserError
from solon.pipeline.check import check_inputs
from tiny_models import tiny_model_folder


def test_verdicts_come_from_the_server(tmp_path: Path) -> None:
    """With `A` at -0.2 and `B` at -1.9, A is preferred with 0.85, or 0.15 where the answers stood the other way."""
    llama = tiny_model_folder(tmp_path, "llama")
    with serving(top={"A": -0.2, "B": -1.9}, faults=lambda number: "429" if number % 3 == 0 else None) as server:
        config = world_config(llama, f"models.judge.path={server.url}#m", "models.judge.engine=endpoint")
        check_inputs(config)
        run_in(tmp_path / "run", config, until="comparisons")
    labels = {round(row["p_a_preferred"], 6) for row in rows(tmp_path / "run", "comparisons")}
    assert labels <= {0.845535, 0.154465} and labels
    made = manifest(tmp_path / "run", "comparisons")
    assert made.facts["engines"] == {"judge": f"endpoint:{server.url}#m"}
    assert all(asked["model"] == "m" and asked["max_tokens"] == 1 for asked in server.asked)


def test_a_bound_is_less_sure_and_counted(tmp_path: Path) -> None:
    llama = tiny_model_folder(tmp_path, "llama")
    with serving(top={"A": -0.2, " the": -1.9}) as server:
        config = world_config(llama, f"models.judge.path={server.url}#m", "models.judge.engine=endpoint")
        run_in(tmp_path / "run", config, until="comparisons")
    labels = [row["p_a_preferred"] for row in rows(tmp_path / "run", "comparisons")]
    assert {round(label, 6) for label in labels} <= {0.845535, 0.154465} and labels
    other = manifest(tmp_path / "run", "comparisons").counts.other
    assert other == {"label from a bound on one log-probability": len(labels)}


def test_a_name_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    llama = tiny_model_folder(tmp_path, "llama")
    config = world_config(llama, "models.judge.path=localhost", "models.judge.engine=endpoint")
    with pytest.raises(UserError, match="names no model on a server"):
        run_in(tmp_path / "run", config, until="comparisons")
