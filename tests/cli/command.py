"""`solon` in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
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


@contextmanager
def one_thread() -> Iterator[None]:
    """As in a process that is told to take one, and in a fork of this one, which would wait for others for ever."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
