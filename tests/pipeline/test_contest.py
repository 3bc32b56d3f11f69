"""`solon elo RUN`: the models of a run, compared by its judge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from solon.errors import TimedOutError
from solon.evals.kept import read_evaluations
from solon.feedback.judge import Judge
from solon.records import Comparison
from solon.report.data import load_report_data
from solon.report.html import render_report


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run", symlinks=True)


def prefer(monkeypatch: pytest.MonkeyPatch, better: str) -> list[Any]:
    """A judge that prefers one model's answers, by the pairs' ids, and keeps what it was asked."""
    label, asked = Judge.label, []

    async def preferring(judge: Judge, pair: Any, prompt: Any, principle: Any = None) -> Comparison:
        asked.append(pair)
        made = await label(judge, pair, prompt, principle)
        p = _label(pair.id.rpartition(".")[2].split("-"), better)
        said = tuple(one.model_copy(update={"p_a_preferred": p}) for one in made.verdicts)
        return made.model_copy(update={"p_a_preferred": p, "unscored": None, "verdicts": said})

    monkeypatch.setattr(Judge, "label", preferring)
    return asked


def _label(models: list[str], better: str) -> float:
    return 0.9 if models[0] == better else 0.1 if models[1] == better else 0.5


def lines(*arguments: str | Path) -> dict[str, dict[str, Any]]:
    """Results by model."""
    found = [json.loads(line) for line in done(*arguments, "--json").splitlines()]
    return {one["model"]: one for one in found}


def figures(one: dict[str, Any]) -> dict[str, float]:
    return {it["name"]: it["value"] for it in one["metrics"]}


def test_every_two_answers_to_a_prompt_that_asks_for_harm_are_a_game(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = prefer(monkeypatch, "rl")
    found = lines("elo", run, "--prompts", "0")
    assert {it["n"] for one in found.values() for it in one["metrics"]} == {12}, "6 prompts, two others"
    assert len({pair.prompt_id for pair in asked}) > 1
    assert {pair.prompt_id for pair in asked} <= {
        f"evaluation-{kind}-000{n}" for kind in ("harmful", "mixed") for n in range(3)
    }
    assert all(pair.a != pair.b for pair in asked), "of equal texts nobody is asked"
    assert figures(found["rl"])["won"] > 0 and figures(found["rl"])["won"] + figures(found["rl"])["tied"] == 1.0
    assert figures(found["base"])["won"] == figures(found["sl"])["won"] == figures(found["sl"])["rating"] == 0.0
    assert {it["against"] for it in found["rl"]["paired"]} == {"base", "sl"}


def test_the_report_shows_it_until_the_answers_change_and_another_is_not_put_in_its_place(run: Path) -> None:
    done("elo", run, "-n", "2")
    (kept, faults) = read_evaluations(run)
    assert [(one.model, one.metrics[0].n) for one in kept.values()] == [("base", 4), ("rl", 4), ("sl", 4)]
    assert set(kept["elo-answers-t1-rl"].stages) == {"answers-base", "answers-sl", "answers-rl"} and not faults
    assert "Harmlessness (elo-answers, temperature 1), by the judge" in render_report(load_report_data(run))
    refused = solon("elo", run, "-n", "3")
    assert refused.exit_code == 2 and "holds another result (replace it with --replace" in refused.stderr
    done("elo", run, "-n", "3", "--replace")
    assert {one.metrics[0].n for one in read_evaluations(run)[0].values()} == {6}
    path = run / "evaluations" / "elo-answers-t1-rl.json"
    path.write_text(path.read_text().replace(kept["elo-answers-t1-rl"].stages["answers-rl"], "0" * 64))
    page = render_report(load_report_data(run))
    assert "elo-answers-t1-rl.json</code> is not shown: it is of another answers-rl than the run has now" in page


def test_a_command_that_was_killed_goes_on_to_the_same_bytes(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shutil.copytree(run, run.with_name("whole"), symlinks=True)
    command = ("-n", "0", "--set", "sampling.shard_rows=4")
    with counted(monkeypatch) as every:
        done("elo", whole, *command)
    with counted(monkeypatch, most=len(every) - 1), pytest.raises(RuntimeError, match="killed"):
        solon("elo", run, *command)
    (games,) = run.glob("evaluations/elo-*")
    assert (games / "rows-00000.jsonl").is_file() and not list(run.glob("evaluations/**/*n.json"))
    with counted(monkeypatch) as again:
        done("elo", run, *command)
        done("elo", run, *command)
    assert 0 < len(again) < len(every) and again == every[-len(again) :], "what was judged is not judged again"
    assert kept_bytes(run) == kept_bytes(whole)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, most: int | None = None) -> Iterator[list[str]]:
    """The pairs that the judge is asked about, which dies behind so many."""
    label, asked = Judge.label, list[str]()

    async def counting(judge: Judge, pair: Any, prompt: Any, principle: Any = None) -> Comparison:
        if len(asked) == most:
            raise RuntimeError("killed")
        asked.append(pair.id)
        return await label(judge, pair, prompt, principle)

    with monkeypatch.context() as patched:
        patched.setattr(Judge, "label", counting)
        yield asked


def kept_bytes(run: Path) -> dict[str, bytes]:
    """Results and games; how long they took is no result."""
    found = [path for path in run.glob("evaluations/**/*") if path.suffix in (".json", ".jsonl")]
    assert len({path.suffix for path in found}) == 2
    return {str(path.relative_to(run)): path.read_bytes() for path in found if path.name != "manifest.json"}


def test_games_under_other_settings_are_played_apart_and_unread_ones_are_kept(run: Path) -> None:
    done("elo", run, "-n", "2")
    reasoned = ("elo", run, "-n", "2", "--set", "judge.method=cot")
    failed = solon(*reasoned)
    assert failed.exit_code == 1 and "comparisons could not be read" in failed.stderr
    rows = {path: path.read_bytes() for path in run.glob("evaluations/elo-*/rows-*.jsonl")}
    assert len({path.parent for path in rows}) == 2
    done(*reasoned, "--set", "judge.max_unscored=1", "--replace")
    assert {path: path.read_bytes() for path in run.glob("evaluations/elo-*/rows-*.jsonl")} == rows
    assert len(list(run.glob("evaluations/elo-*/manifest.json"))) == 2


def test_an_outage_of_the_judge_is_no_verdict_and_is_asked_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*asked: Any) -> Comparison:
        raise TimedOutError("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(Judge, "label", down)
        failed = solon("elo", run, "-n", "2")
    assert "see to the engine, then give the same command again" in failed.stderr
    assert not list(run.glob("evaluations/elo-*/rows-*.jsonl"))
    done("elo", run, "-n", "2")


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
    assert not (run / "evaluations").exists()
