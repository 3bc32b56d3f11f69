"""`solon run`, `resume`, `stage`, `report`, `init`: whole runs of a tiny model, by the commands alone."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon, tiny_settings
from constitution_files import write_published
from lm.server import serving
from pipeline.tiny_run import FOLDERS, data, figures
from solon.artifacts.atomic import write_atomic
from solon.cli import init
from solon.config.files import run_file_text, shipped_run_files
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.constitution.lint import lint
from solon.pipeline.stages import STAGES, stages_of

RATES = ("harmful", "evasive", "preachy", "rude", "malformed", "helpful", "distinct")
KINDS = ("harmful", "mixed", "benign")


def lines(text: str) -> list[dict[str, Any]]:
    """Output with `--json`."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def told(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A run in the world, and what it said as JSON."""
    folder = tmp_path_factory.mktemp("runs") / "world"
    return folder, lines(done("run", "--model", tiny, *tiny_settings(), "-o", folder, "--json"))


@pytest.fixture
def world(told: tuple[Path, list[dict[str, Any]]]) -> Path:
    return told[0]


def test_json_tells_the_stages_and_ends_with_the_summary(told: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, events = told
    began = [event["stage"] for event in events if event["event"] == "stage"]
    assert list(FOLDERS) == list(dict.fromkeys(began))
    assert events[0] == {"event": "note", "text": f"run folder: {folder}"}
    last = events[-1]
    assert last.pop("event") == "summary"
    assert last == json.loads((folder / "summary.json").read_bytes())


def test_the_summary_has_every_documented_figure(world: Path) -> None:
    """The keys are a promise to programs; the issue that asked for them lists them by name."""
    summary = json.loads((world / "summary.json").read_bytes())
    assert {"seed", "pipeline_seconds", "estimates", "differences", "labels", "preference_model", "rl"} <= set(summary)
    told = figures(summary)
    answered = {key[:3] for key in told}
    assert answered >= {("held-out", model, kind) for model in ("base", "sl", "rl") for kind in KINDS}
    assert {model for task, model, _ in answered if task == "revisions"} == {"assistant@0", "assistant@1"}
    for key in answered:
        assert {told[*key, rate]["n"] > 0 for rate in RATES} == {True}
        for rate in RATES:
            assert told[*key, rate]["low"] <= told[*key, rate]["value"] <= told[*key, rate]["high"], (key, rate)
    assert {"n", "accuracy", "ece", "ties", "unscored"} <= set(summary["labels"])
    assert {"accuracy", "by_fault"} <= set(summary["preference_model"])
    (step,) = summary["rl"]["steps"]
    assert {"step", "reward", "kl"} <= set(step)
    assert summary["grader"] == "oracle" and summary["pipeline_seconds"] > 0


@pytest.mark.parametrize("again", ["run", "resume", "quiet"])
def test_a_finished_run_prints_its_result_again(world: Path, tiny: Path, again: str) -> None:
    before = data(world)
    if again == "resume":
        output = done("resume", world)
    else:
        more = ["--quiet"] if again == "quiet" else []
        output = done("run", "--model", tiny, *tiny_settings(), "-o", world, *more)
    assert data(world) == before
    assert ("nothing to do: everything was finished before" in output) == (again != "quiet")
    assert output.splitlines()[-2:] == [str(world / "summary.json"), str(world / "report.html")]
    for heading in ("base", "SL-CAI", "RL-CAI", "Harmful requests, n = 2"):
        assert heading in output


def test_report_writes_the_page_anew(world: Path) -> None:
    (world / "report.html").unlink()
    output = done("report", world)
    assert output.splitlines()[-1] == str(world / "report.html")
    assert (world / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_show_prints_what_finetuning_learnt_from(world: Path) -> None:
    rows = [json.loads(line) for line in (world / "models/sl/demonstrations.jsonl").read_text().splitlines()]
    output = done("show", world, "--first", "2")
    assert f"example 2, revision-1: {rows[1]['prompt_id']}" in output
    assert "Assistant:{+" in output
    assert solon("show", world, "--first", "999").stderr == (f"error: {world}: there are only {len(rows)} examples\n")


def test_stage_by_stage_on_files_of_ones_own(files: Path) -> None:
    """Starter folder, imported constitution with its few-shots, foreign model: every stage by its own command."""
    done("init", "mine")
    (files / "mine" / "model").symlink_to((files / "model").resolve())
    write_published(files / "published")
    done("constitution", "import", "published", "-o", "imported")
    settings = tiny_settings("prompts.mixed=0", "pairs.per_prompt=1")
    first = done("stage", "prompts", "mine/run.toml", "--constitution", "imported", *settings)
    assert "run folder: runs/mine" in first and "to continue: solon resume runs/mine" in first
    for stage in stages_of(RunConfig())[1:-1]:
        output = done("stage", stage.name, "runs/mine", "--quiet")
        assert output.startswith(f"runs/mine/{stage.folder}: ")
        assert (files / "runs/mine" / stage.folder / "manifest.json").exists()
    assert not (files / "runs/mine/scores").exists() and not (files / "runs/mine/summary.json").exists()
    manifest = lines(done("stage", "rl", "runs/mine", "--json"))[-1]
    assert (manifest["event"], manifest["stage"]) == ("manifest", "models/rl")
    assert "Not graded" in done("resume", "runs/mine")
    config = load_run_config(files / "runs/mine/run.toml")
    assert config.constitution.few_shots == config.constitution.path == str(files / "imported")
    assert (files / "runs/mine/original.toml").read_text() == (files / "mine/run.toml").read_text()


def test_the_stages_listed_are_the_stages_there_are(world: Path) -> None:
    assert [stage.folder for stage in stages_of(RunConfig())] == list(FOLDERS)
    for stage in STAGES:
        assert (world / stage.folder / "manifest.json").exists() == (stage.folder in FOLDERS)
        assert stage.title in " ".join(done("stage", stage.name, "--help").split())


def test_a_stage_that_a_run_does_not_have_is_refused(world: Path, files: Path) -> None:
    said = 'this run has no stage rl, which is of runs with alignment = "rl" (it trains sl and dpo)'
    assert solon("stage", "rl", "--set", "alignment=dpo").stderr == f"error: {said}\n"
    said = 'this run has no stage answers-dpo, which is of runs with alignment = "dpo" (it trains sl and pm and rl)'
    assert solon("stage", "answers-dpo", world).stderr == f"error: {said}\n"
    needed = 'alignment = "rl" and rl.rewards.preference above 0'
    said = f"this run has no stage pm, which is of runs with {needed} (it trains sl and rl)"
    judged = ("--set", "rl.rewards.preference=0", "--set", "rl.rewards.judge=1")
    assert solon("stage", "pm", *judged).stderr == f"error: {said}\n"
    assert not (files / "runs").exists()


@pytest.mark.parametrize("name", shipped_run_files())
def test_every_shipped_run_file_begins(name: str, files: Path) -> None:
    """Its constitution and all that it names are sound, and its prompts are made."""
    config = load_run_config(name)
    settings = tiny_settings("prompts.mixed=1", f"judge.decide={config.judge.decide}")
    output = done("stage", "revisions", name, "--model", "model", *settings)
    assert f"run folder: runs/{config.name}" in output
    assert (files / "runs" / config.name / "original.toml").read_text() == run_file_text(name)
    assert not [finding for finding in lint(config.constitution.path) if finding.severity == "error"]


def stopped(arguments: Sequence[str | Path], at: str, number: signal.Signals) -> tuple[int, list[str]]:
    """Exit code and last words of a `solon` that gets a signal when the stage `at` begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "solon.cli.program", *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    next(line for line in process.stdout if f'"stage", "stage": "{at}"' in line)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors.splitlines()[-2:]


def test_a_signal_is_130_or_143_and_says_how_to_go_on(world: Path, tiny: Path, files: Path) -> None:
    said = ["interrupted", "Finished work is kept. To continue: solon resume stopped"]
    run = ["run", "--model", tiny, *tiny_settings(), "-o", "stopped"]
    assert stopped(run, "models/sl", signal.SIGINT) == (130, said)
    assert "nothing to do" in done("stage", "helpful", "stopped")
    assert not (files / "stopped/models/pm").exists()
    assert stopped(["resume", "stopped"], "models/rl", signal.SIGTERM) == (143, said)
    assert not (files / "stopped/answers-rl/manifest.json").exists()
    done("resume", "stopped")
    assert data(files / "stopped") == data(world)


def test_a_run_takes_over_what_runs_beside_it_have_finished(world: Path, tiny: Path) -> None:
    other, same = world.with_name("other"), ("--model", tiny, *tiny_settings())
    output = done("stage", "sl", *same, "-o", other, "--set", "rl.steps=7", "--set", "name=other")
    stages = ("prompts", "revisions", "helpful", "models/sl")
    assert output.splitlines()[:5] == [
        f"run folder: {other}",
        *(f"{stage}: reused from {world}" for stage in stages),
    ]
    assert "nothing to do" not in output
    anew = done("stage", "prompts", *same, "-o", world.with_name("anew"), "--no-reuse")
    assert "reused" not in anew and "prompts: " in anew


def test_reuse_from_where_no_run_is(world: Path, tiny: Path, files: Path) -> None:
    run = ("run", "--model", tiny, *tiny_settings(), "-o", "run")
    result = solon(*run, "--reuse", "nowhere")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        2,
        "error: nowhere holds no run (--reuse takes the folder of another run)",
    )
    result = solon(*run[:-1], "both", "--reuse", world, "--no-reuse")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --reuse and --no-reuse contradict each other (leave one of them out)\n",
    )
    assert not Path("both").exists()
    assert f"prompts: reused from {world}" in done("stage", "prompts", *run[1:], "--reuse", world)


def test_the_name_of_a_shipped_run_file_wins_over_a_folder(files: Path) -> None:
    (files / "world").mkdir()
    result = solon("run", "world", "--set", "rl.stps=3")
    assert (result.exit_code, "holds no run" in result.stderr, "rl.stps" in result.stderr) == (2, False, True)


def test_the_choices_of_the_starter_that_are_commented_out_can_be_taken(files: Path) -> None:
    done("init", "mine")
    text = Path("mine/run.toml").read_text()
    keys = r"columns\.prompt|columns\.response|on_fault|max_faults|scores|score_temperature"
    keys += r"|temperature|top_p|answers\.temperature|revisions\.temperature|reasoning\.max_new_tokens"
    taken, number = re.subn(rf"^# ({keys}) = ", r"\1 = ", text, flags=re.MULTILINE)
    Path("mine/run.toml").write_text(taken)
    config = load_run_config("mine/run.toml")
    prompts, sampling = config.prompts, config.sampling
    assert number == 11
    assert (sampling.temperature, sampling.top_p, sampling.answers.temperature) == (0.7, 0.95, 0.7)
    assert (sampling.revisions.temperature, sampling.reasoning.max_new_tokens) == (0.3, 512)
    assert prompts.columns == {"prompt": ("question", "goal"), "response": ("output",)}
    assert (prompts.on_fault, prompts.scores) == ("skip", "label")


def test_the_starter_is_sound_and_never_overwrites(files: Path) -> None:
    output = done("init", "new/mine")
    written = sorted(path.name for path in (files / "new/mine").iterdir())
    assert written == ["README.md", "constitution.toml", "helpful.jsonl", "prompts.jsonl", "run.toml"]
    assert output.splitlines()[-1] == "  3. solon run new/mine/run.toml"
    for name in written:
        assert "{" not in "".join(Path("new/mine", name).read_text().split()) or name.endswith("jsonl")
    config = load_run_config("new/mine/run.toml")
    assert (config.name, config.models.assistant.path) == ("mine", str(files / "new/mine/model"))
    assert not lint("new/mine/constitution.toml")
    result = solon("run", "new/mine/run.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {files}/new/mine/model: no such model folder "
        "(give a folder on this machine, or OWNER/NAME of a model on the Hugging Face Hub)\n",
    )
    (files / "new/mine/run.toml").write_text("mine now")
    again = solon("init", "new/mine")
    assert (again.exit_code, again.stderr) == (
        2,
        "error: new/mine is not empty (choose a new folder: nothing is overwritten)\n",
    )
    assert (files / "new/mine/run.toml").read_text() == "mine now"


def test_a_starter_that_does_not_fit_on_the_disk_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.name == "prompts.jsonl":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_atomic(path, data)

    folder = tmp_path / "mine"
    with monkeypatch.context() as patch:
        patch.setattr(init, "write_atomic", full)
        result = solon("init", folder)
    assert result.exit_code == 2 and "no space left on the device" in result.stderr
    assert list(folder.iterdir()) == []
    done("init", folder)


def test_what_the_check_before_a_run_asks_a_server_counts_as_the_run_s(files: Path) -> None:
    def begun(limit: int) -> tuple[int, str, dict[str, int]]:
        on_server = (f"models.judge={server.url}#m", "models.judge.engine=endpoint")
        settings = tiny_settings(*on_server, f"models.judge.endpoint.max_tokens={limit}")
        result = solon("stage", "prompts", "-o", "served", "--model", "model", *settings)
        return result.exit_code, result.stderr, json.loads((files / "served/spent-judge.json").read_bytes())

    with serving() as server:
        code, said, spent = begun(300)
        assert code == 2 and "the next request might exceed max_tokens = 300" in said
        assert 0 < spent["read"] + spent["written"] <= 300
        assert [path.name for path in (files / "served").iterdir() if path.name != ".lock"] == ["spent-judge.json"]
        code, said, after = begun(100_000)
        assert (code, after["written"] > spent["written"]) == (0, True), said
        assert after["read"] + after["written"] > 2 * len(server.asked)
        done("stage", "prompts", "served")
        assert json.loads((files / "served/spent-judge.json").read_bytes())["read"] > after["read"]
    gone = tiny_settings(f"models.judge={server.url}#m", "models.judge.engine=endpoint")
    result = solon("stage", "prompts", "-o", "other", "--model", "model", *gone)
    assert result.exit_code == 2 and "cannot be reached" in result.stderr
    assert not (files / "other").exists()
