"""A run whose engine goes wrong now and then: every row that is lost is counted, and the rest goes on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.tiny_run import manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.config.load import load_run_config
from solon.errors import EngineUnavailableError, RunError, UnscoredError, UserError
from solon.feedback.judge import NO_CONFLICT, Judge
from solon.feedback.rows import Dropped
from solon.lm.engines.faulty import FaultyModel, Mishap
from solon.pipeline.actors import Actors
from solon.pipeline.check import check_inputs
from solon.records import Comparison


def wrap(monkeypatch: pytest.MonkeyPatch, *mishaps: Mishap, every: int) -> None:
    real: Callable[..., Any] = Actors.language_model

    def faulty(self: Actors, *args: Any) -> FaultyModel:
        return FaultyModel(real(self, *args), *mishaps, every=every)

    monkeypatch.setattr(Actors, "language_model", faulty)


def data(run: Path) -> dict[str, bytes]:
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*.jsonl"))}


def test_lost_rows_are_counted_and_the_run_goes_on(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = world_config(llama, "judge.max_unscored=0.9", "sampling.shard_rows=16", "pairs.per_prompt=6")
    wrap(monkeypatch, "timeout", "refusal", "garbled", "empty", "garbage", "no numbers", "late", every=8)
    run_in(tmp_path / "one", config, until="comparisons")
    for stage, each in {"revisions": 1, "helpful": 1, "pairs": 6, "comparisons": 1}.items():
        counts = manifest(tmp_path / "one", stage).counts
        assert each * counts.rows_in == counts.rows_out + sum(counts.dropped.values()) > 0
    lost = manifest(tmp_path / "one", "revisions").counts.dropped
    assert lost and lost.keys() <= {"timed out", "refused by the provider", "garbled reply"}
    unscored = [row["unscored"] for row in rows(tmp_path / "one", "comparisons") if row["unscored"]]
    assert unscored
    run_in(tmp_path / "two", config, until="comparisons")
    assert data(tmp_path / "one") == data(tmp_path / "two")


def test_rows_that_another_try_may_keep_are_asked_for_again(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard that lost too many is not kept. Once the engine is well, the run ends as if nothing had happened."""
    config, run = world_config(llama), tmp_path / "run"
    run_in(tmp_path / "whole", config, until="comparisons", others=OtherRuns(found=(finished,)))
    run_in(run, config, until="prompts")
    for stage, n in (("revisions", 4), ("comparisons", 4)):
        with monkeypatch.context() as ill:
            wrap(ill, "timeout", every=1)
            with pytest.raises(EngineUnavailableError) as error:
                run_in(run, config, until=stage)
        what = f"stage {stage} lost {n} of {n} rows that it asked for (timed out: {n})"
        assert str(error.value) == f"{what} (see to the engine, then `solon resume {run}`: it asks for them again)"
        run_in(run, config, until="pairs" if stage == "revisions" else stage)
    assert data(run) == data(tmp_path / "whole")


def test_a_run_with_too_many_unscored_goes_on_once_it_allows_them(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same folder, and without asking again."""
    wrap(monkeypatch, "no numbers", every=2)
    with pytest.raises(UnscoredError) as error:
        run_in(tmp_path, world_config(llama, "pairs.per_prompt=6"), until="comparisons")
    unread, made = map(int, re.findall(r"\d+", str(error.value))[:2])
    assert 0.25 * made < unread < 0.75 * made, "about every second"
    assert str(error.value) == (
        f"{unread} of {made} comparisons could not be read (no probabilities: {unread}), "
        "more than the allowed share of 0.2 "
        '(judge.max_unscored) (take another judge (models.judge), or ask it in the other way (judge.method = "cot"), '
        "in a new run; or allow more in this one: --set judge.max_unscored=1)"
    )
    told = run_in(tmp_path, world_config(llama, "pairs.per_prompt=6", "judge.max_unscored=0.9"), until="comparisons")
    assert (told.stages, told.recovered_rows) == (["comparisons"], made)
    assert load_run_config(tmp_path / "run.toml").judge.max_unscored == 0.9


def test_pairs_without_a_conflict_were_read(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One verdict of nine is lost, and the eight others agree: no large share."""
    config = world_config(llama, "constitution.path=harmless-first", "judge.conflicts=true", "judge.decide=precedence")
    run_in(tmp_path, config, until="pairs")
    label, numbers = Judge.label, itertools.count()

    async def agreed(self: Judge, *args: Any) -> Comparison:
        found = await label(replace(self, section=self.section.model_copy(update={"conflicts": False})), *args)
        if next(numbers):
            raise Dropped(NO_CONFLICT)
        return found.model_copy(update={"p_a_preferred": None, "unscored": "no probabilities"})

    monkeypatch.setattr(Judge, "label", agreed)
    run_in(tmp_path, config, until="comparisons")
    counts = manifest(tmp_path, "comparisons").counts
    assert (counts.rows_out, counts.dropped) == (1, {NO_CONFLICT: 8})


def test_a_judge_that_has_no_files_goes_through_a_run(llama: Path, tmp_path: Path) -> None:
    """What is finetuned needs weights."""
    config = world_config(llama, "models.judge.path=x", "models.judge.engine=scripted")
    check_inputs(config)
    run_in(tmp_path, config, until="comparisons")
    assert {row["p_a_preferred"] for row in rows(tmp_path, "comparisons")} == {0.5}
    made = manifest(tmp_path, "comparisons")
    assert made.facts["engines"] == {"judge": "scripted"}
    assert "judge" in made.inputs and not any(name.startswith("judge/") for name in made.inputs)
    with pytest.raises(UserError) as error:
        check_inputs(world_config(llama, "models.base.path=x", "models.base.engine=scripted"))
    what = "models.base is to be finetuned, but the engine scripted has no weights"
    assert str(error.value) == f"{what} (set models.base to a model folder)"


def test_a_stage_that_keeps_nothing_says_why(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is asked again, of shards that were kept."""
    wrap(monkeypatch, "refusal", every=1)
    for _ in range(2):
        with pytest.raises(RunError) as error:
            run_in(tmp_path / "run", world_config(llama), until="revisions")
        what = "stage revisions kept none of its 9 rows (refused by the provider: 9)"
        assert str(error.value) == f"{what} (choose other prompts or another model)"


def test_few_rows_that_are_all_lost_are_told_how_to_ask_again(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A last shard of one row may lose it, else a row that never succeeds would hold up the run for ever."""
    wrap(monkeypatch, "garbled", every=1)
    with pytest.raises(RunError) as error:
        run_in(tmp_path, world_config(llama, "sampling.shard_rows=1"), until="revisions")
    what = "stage revisions kept none of its 9 rows (garbled reply: 9)"
    hint = f"delete {tmp_path / 'revisions'} and run `solon resume {tmp_path}` to ask again"
    assert str(error.value) == f"{what} ({hint})"


def test_an_engine_that_is_gone_stops_the_run_and_what_was_made_is_kept(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is back, the run ends as if nothing had happened."""
    config = world_config(llama)
    run_in(tmp_path / "whole", config, until="helpful", others=OtherRuns(found=(finished,)))
    with monkeypatch.context() as gone:
        wrap(gone, "down", every=40)
        with pytest.raises(EngineUnavailableError, match=r"^the model's server does not answer \(start it"):
            run_in(tmp_path / "run", config, until="helpful")
    run_in(tmp_path / "run", config, until="helpful")
    assert data(tmp_path / "run") == data(tmp_path / "whole")
