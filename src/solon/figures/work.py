"""Makes what is left to make, several commands at once, each in a process of its own.

Two processes of one thread do 1.4 times the work of one process of two threads here (docs/log.md), and there are always
runs that do not wait for each other.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from solon.errors import ProcessError, RunError, Where
from solon.figures.plan import SECONDS
from solon.figures.tasks import FOLDERS, Task
from solon.progress import Reporter

LOGS = "logs"
"""The folder of what commands said, beside the runs."""
UNUSABLE = 2
"""What `solon` ends with where the user can mend something."""
_WAIT = 0.5
_COSTS = {FOLDERS[name]: seconds for name, seconds in SECONDS.items()}


@dataclass(kw_only=True)
class _Child:
    task: Task
    process: subprocess.Popen[str]
    log: Path
    advanced: float = 0.0
    stages: list[str] = field(default_factory=list)
    """Folders of stages that it has finished, and nobody has counted yet."""

    def listen(self) -> None:
        """Notes its finished stages, until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("event") == "stage_done":
                self.stages.append(str(event.get("stage")))

    def worked(self, all_of_it: bool = False) -> float:
        """How much of its cost was done since the last call."""
        done = sum(_COSTS.get(self.stages.pop(), 0.0) for _ in range(len(self.stages)))
        left = self.task.cost - self.advanced
        new = left if all_of_it else min(done, left)
        self.advanced += new
        return new


def do_tasks(
    tasks: Sequence[Task],
    runs: Path,
    reporter: Reporter,
    *,
    jobs: int,
    threads: int,
    launch: Sequence[str] = (),
    what: str = "figures",
) -> dict[str, RunError | ProcessError]:
    """Does every task that is not done, as soon as those before it are.

    Args:
        runs: where logs go.
        jobs: commands at once.
        threads: of each.
        launch: what the arguments of `solon` are put behind; empty: this Python's.
        what: they are for.

    Returns those that failed, by name, with what they said; tasks behind one of them are left out, and all others done.
    """
    left = [task for task in tasks if not task.done]
    made = {task.name for task in tasks if task.done}
    total = sum(task.cost for task in tasks)
    reporter.stage(f"{what} (rows are seconds of work)", round(total))
    counted = _Counter(reporter.advance)
    reporter.recovered(round(total - sum(task.cost for task in left)))
    running: list[_Child] = []
    failed: dict[str, RunError | ProcessError] = {}
    lost: set[str] = set()
    command = tuple(launch) or (sys.executable, "-m", "solon")
    with _ended(running):
        while left or running:
            for task in [task for task in left if task.after <= made][: jobs - len(running)]:
                left.remove(task)
                running.append(_start(task, runs, command, threads))
            time.sleep(_WAIT)
            counted.add(sum(child.worked() for child in running))
            for child in [child for child in running if child.process.poll() is not None]:
                running.remove(child)
                name = child.task.name
                if error := _failure(child):
                    failed[name] = error
                    lost.add(name)
                    reporter.note(f"{name}: failed, see {child.log}")
                    continue
                counted.add(child.worked(all_of_it=True))
                made.add(name)
                reporter.note(f"{name}: done, {len(made)} of {len(tasks)}")
            while behind := [task for task in left if task.after & lost]:
                lost.update(task.name for task in behind)
                left = [task for task in left if task not in behind]
    reporter.end_stage()
    return failed


class _Counter:
    """Tells whole seconds of work."""

    def __init__(self, advance: Callable[[int, int], None]) -> None:
        self.advance, self.exact, self.told = advance, 0.0, 0

    def add(self, seconds: float) -> None:
        self.exact += seconds
        whole = round(self.exact) - self.told
        self.told += whole
        self.advance(whole, 0)


def _start(task: Task, runs: Path, command: Sequence[str], threads: int) -> _Child:
    log = runs / LOGS / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', task.name)}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [*command, *task.arguments, "--json"], stdout=subprocess.PIPE, stderr=stderr, text=True, env=env
        )
    child = _Child(task=task, process=process, log=log)
    threading.Thread(target=child.listen, daemon=True).start()
    return child


def _failure(child: _Child) -> RunError | ProcessError | None:
    code = child.process.returncode
    if code == 0:
        return None
    said = child.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if code == UNUSABLE and said:
        told = " ".join(said[-3:]).removeprefix("error: ")
        hint = "another dose or model needs another folder: --runs DIR"
        return RunError(f"{child.task.name}: {told}", where=Where(child.log), hint=hint)
    last = said[-1] if said else f"exit code {code}"
    return ProcessError(
        f"{child.task.name} failed: {last} (all that it said: {child.log}; command: {child.task.command})"
    )


@contextmanager
def _ended(running: list[_Child]) -> Iterator[None]:
    """Whatever happens in the block, no command goes on behind it."""
    try:
        yield
    finally:
        for child in running:
            child.process.terminate()
        for child in running:
            try:
                child.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
