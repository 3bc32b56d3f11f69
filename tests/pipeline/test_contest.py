"""`solon elo RUN`: the models of a run, compared by its judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from pipeline.tiny_run import rows
from solon.evals.contest import Contest
from solon.feedback.judge import Judge
from solon.report.data import load_report_data
from solon.report.html import render_report


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run", symlinks=True)


def prefer(monkeypatch: pytest.MonkeyPatch, better: str) -> list[Any]:
    """A judge that prefers one model's answers, by the pairs' ids, and keeps what it was asked."""
    compare, asked = Judge.compare, []

    def preferring(judge: Judge, pairs: Any, prompts: Any, principle: Any = None) -> Any:
        asked.extend(pairs)
        made = compare(judge, pairs, prompts, principle)
        made.records = tuple(
            row.model_copy(update={"p_a_preferred": _label(row.id.rpartition(".")[2].split("-"), better)})
            for row in made.records
        )
        return made

    monkeypatch.setattr(Judge, "compare", preferring)
    return asked


def _label(models: list[str], better: str) -> float:
    return 0.9 if models[0] == better else 0.1 if models[1] == better else 0.5


def test_every_two_answers_to_a_prompt_that_asks_for_harm_are_a_game(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = prefer(monkeypatch, "rl")
    found = Contest.model_validate_json(done("elo", run, "--prompts", "0", "--json"))
    prompts = [row for row in rows(run, "prompts") if row["kind"] != "benign" and row["id"].startswith("evaluation")]
    assert (found.prompts, found.elo.games) == (6, 18) and len(prompts) in (0, 6)
    assert {pair.prompt_id for pair in asked} <= {
        f"evaluation-{kind}-000{n}" for kind in ("harmful", "mixed") for n in range(3)
    }
    assert all(pair.a != pair.b for pair in asked), "of equal texts nobody is asked"
    best, *others = found.elo.rows
    assert best.player == "rl" and best.wins + best.ties == 12 and best.losses == 0 and best.wins > 0
    assert {row.player: row.wins for row in others} == {"base": 0, "sl": 0}
    assert {row.player: row.rating for row in found.elo.rows}["sl"] == 0.0


def test_so_many_prompts_and_the_report_shows_them_until_the_answers_change(run: Path) -> None:
    assert "by its judge: 6 games" in " ".join(done("elo", run, "-n", "2").split())
    kept = json.loads((run / "elo.json").read_text())
    assert (kept["prompts"], kept["elo"]["games"]) == (2, 6)
    data = load_report_data(run)
    assert data.contest is not None and "Harmlessness, by the judge" in render_report(data)
    kept["answers"]["rl"] = "0" * 64
    (run / "elo.json").write_text(json.dumps(kept))
    data = load_report_data(run)
    assert data.contest is None and data.stale == ("elo.json",)
    page = render_report(data)
    assert "Harmlessness, by the judge" not in page and "elo.json: of other labels or answers" in page


def test_options_of_the_other_kind_are_refused(run: Path, tmp_path: Path) -> None:
    refused = solon("elo", run, "--anchor", "base=0")
    assert (refused.exit_code, refused.stderr) == (2, "error: not of a run: --anchor (they are for a file of games)\n")
    games = tmp_path / "games.jsonl"
    games.write_text('{"a": "x", "b": "y", "winner": "a"}\n')
    refused = solon("elo", games, "-n", "5")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: not of a file of games: --prompts (they are for a run folder)\n",
    )
    refused = solon("elo", tmp_path)
    assert refused.exit_code == 2 and "holds no run" in refused.stderr


def test_a_run_without_two_models_that_answered_has_no_games(run: Path) -> None:
    for model in ("sl", "rl"):
        shutil.rmtree(run / f"answers-{model}")
    refused = solon("elo", run)
    assert refused.exit_code == 2 and "no two models of the run have answered the same harmful prompt" in refused.stderr
    assert not (run / "elo.json").exists()
