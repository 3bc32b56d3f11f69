"""`solon` in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from pipeline.tiny_run import TINY
from solon.cli.main import app

COUNTS = ("prompts.harmful=4", "prompts.mixed=2", "prompts.benign=4", "prompts.evaluation=2", "supervised.rounds=1")


def solon(*arguments: str | Path) -> Result:
    """The command; bugs keep their traceback."""
    return CliRunner().invoke(app, [str(part) for part in arguments], prog_name="solon", catch_exceptions=False)


def done(*arguments: str | Path) -> str:
    """What a command that succeeds prints on standard output."""
    result = solon(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def tiny_settings(*more: str) -> list[str]:
    """Options that make a run take seconds."""
    return [part for setting in (*TINY, *COUNTS, "rl.steps=1", *more) for part in ("--set", setting)]
