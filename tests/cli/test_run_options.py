"""The shared options mean keys that a run file really has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from solon.cli import run as module
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.errors import UserError


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[RunConfig]:
    """The configs of the runs that would be begun."""
    found: list[RunConfig] = []

    def begin(_run_file: str | None, _output: Path | None, config: RunConfig, *_: object) -> Any:
        found.append(config)
        raise UserError("enough")

    monkeypatch.setattr(module, "_begin", begin)
    return found


def test_options_reach_the_run_file(begun: list[RunConfig]) -> None:
    own = ("--model", "embedded", "--constitution", "charter", "--prompts", "p.jsonl", "--helpful", "h.jsonl")
    columns = ("--column", "prompt=goal", "--column", " prompt = question", "--column", "system=sys=tem")
    solon("run", *own, *columns, "--seed", "7", "--set", "rl.steps=3")
    (config,) = begun
    assert (config.models.assistant.path, config.constitution.path, config.seed) == ("embedded", "charter", 7)
    assert config.prompts.source.endswith("p.jsonl") and config.rl.steps == 3
    assert config.prompts.helpful is not None and config.prompts.helpful.endswith("h.jsonl")
    assert config.prompts.columns == {"prompt": ("goal", "question"), "system": ("sys=tem",)}


def test_options_not_given_leave_the_run_file_alone(begun: list[RunConfig]) -> None:
    solon("run")
    solon("stage", "prompts", "only-theft")
    assert begun == [load_run_config(), load_run_config("only-theft")]


def test_names_of_run_files_win_over_folders_of_that_name(
    begun: list[RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "world").mkdir()
    monkeypatch.chdir(tmp_path)
    solon("run", "world")
    assert begun == [load_run_config("world")]
    assert "world holds no run" in solon("run", "./world").stderr
    assert "File name too long" in solon("run", "w" * 5000).stderr


def test_what_stands_in_brackets_is_no_markup() -> None:
    assert "OWNER/NAME[@REVISION]" in "".join(done("plan", "--help").split())
    assert "in \\boxed{}," in done("eval", "gsm8k", "--help")
