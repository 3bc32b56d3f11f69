"""A stage in a process of its own: `python -m solon.pipeline.worker RUN STAGE [CLUSTER]` does a stage that was begun,
and nothing else.

It reports progress as lines of JSON on standard output, each a call of a `Reporter`'s method; anything else that is
printed goes to standard error. Its parent holds the lock of the run's folder, and may hold the other end of standard
input: the process ends when that closes.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from solon import errors
from solon.artifacts.atomic import FULL, storage_errors
from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import RunFolder, run_config
from solon.artifacts.stage import StageFolder, WatchedStage
from solon.errors import Fault, ProcessError, RunError, SolonError, UserError, is_out_of_memory
from solon.pipeline.cluster import workers_at
from solon.pipeline.inputs import RunInputs
from solon.pipeline.stage import Stage, stage_of
from solon.pipeline.stages import stages_of
from solon.pipeline.work import Work, run_stage
from solon.progress import Reporter

if TYPE_CHECKING:
    from solon.train.parallel import Group

_FAULTS = TypeAdapter(list[Fault])
COMMAND = (sys.executable, "-m", "solon.pipeline.worker")
_LESS_MEMORY = "lower sampling.batch_size or its micro_batch_tokens first"
FAILED = "failed"
"""The last line of a worker that met an error which is none of its own."""


def run_in_child(
    stage: Stage, run: RunFolder, reporter: Reporter, note: Callable[[str], None], cluster: str | None = None
) -> None:
    """Does a stage that was begun, in a process of its own. An interrupt kills it; a stage may be killed at any moment.

    Raises what the stage raised, or `ProcessError` if the process was killed.
    """
    heard = calls(reporter, note)
    assert run.lock.descriptor is not None
    with subprocess.Popen(
        [*COMMAND, str(run.path), stage.name, *([cluster] if cluster else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[run.lock.descriptor],  # held until both have ended
        process_group=0,  # Ctrl-C is for this process
    ) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if line.endswith(b"\n"):  # a kill may cut the last one off
                    name, *arguments = json.loads(line)
                    heard[name](*arguments)
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    if code < 0:
        raise ProcessError(killed(stage, signal.Signals(-code)))
    if code:
        raise RuntimeError(f"the process of stage {stage.folder} failed; it has told why on standard error")


def calls(reporter: Reporter, note: Callable[[str], None]) -> dict[str, Callable[..., None]]:
    """What a worker's lines call, by their first word."""
    found: dict[str, Callable[..., None]] = {"note": note, FAILED: _fail}
    return found | {
        name: getattr(reporter, name) for name in ("stage", "recovered", "advance", "computed", "cut_short")
    }


def killed(stage: Stage, by: signal.Signals) -> str:
    """What to say of it."""
    hint = f" (if memory ran out, {_LESS_MEMORY})" if by is signal.SIGKILL else ""
    return f"the process of stage {stage.folder} was killed by {by.name}; what was done is kept{hint}"


def _fail(kind: str, faults: str | list[dict[str, Any]]) -> None:
    """Raises what the worker raised."""
    raise getattr(errors, kind)(faults if isinstance(faults, str) else _FAULTS.validate_python(faults))


class LineReporter(Reporter):
    """A reporter whose calls become lines for `run_in_child`."""

    def send(self, name: str, *arguments: object) -> None:
        """`arguments`: JSON data, or what has a text."""
        try:
            print(json.dumps([name, *arguments], default=str), file=self.stream, flush=True)
        except BrokenPipeError:  # the parent has died
            os._exit(1)

    def stage(self, name: str, total_rows: int | None = None) -> None:
        self.send("stage", name, total_rows)

    def recovered(self, rows: int) -> None:
        self.send("recovered", rows)

    def advance(self, rows: int, tokens: int) -> None:
        self.send("advance", rows, tokens)

    def computed(self, flops: float, peak: float | None) -> None:
        self.send("computed", flops, peak)

    def cut_short(self) -> None:
        self.send("cut_short")

    def note(self, text: str) -> None:
        self.send("note", text)


def work(run: Path, name: str, reporter: Reporter, cluster: str | None = None, *, group: Group | None = None) -> None:
    """Does what is left to do of a stage that was begun in a run's folder; the first of a group seals it."""
    config = run_config(run)
    stages = {stage.name: stage for stage in stages_of(config)}
    stage = stages[name]
    with storage_errors(run):
        inputs = {read: FinishedStage.open(run, stages[stage_of(read)].folder) for read in stage.reads}
        folder = (StageFolder if group is None or group.first else WatchedStage).reopen(run, stage.folder)
        from solon.pipeline.actors import Actors  # imports torch, which takes seconds
        from solon.pipeline.memory import with_budgets

        actors = Actors(config=config, run=run)
        settled, _ = with_budgets(actors.settled, processes=1 if group is None else group.size)
        work = Work(
            given=RunInputs(settled),
            actors=actors,
            inputs=inputs,
            folder=folder,
            reporter=reporter,
            tell=reporter.note,
            workers=workers_at(cluster, config.cluster, reporter.advance),
            group=group,
        )
        run_stage(stage, work)


def main(run: str, name: str, cluster: str | None = None, *, does: Callable[..., None] | None = None) -> int:
    """The exit code: 0, or 1 after a last line that says why. A bug leaves by its traceback. `does`: if not `work`."""
    lines = LineReporter(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        (does or work)(Path(run), name, lines, cluster)
    except Exception as error:
        if (told := _told(error, run, name)) is None:
            raise
        lines.send(FAILED, *told)
        return 1
    return 0


def _told(error: Exception, run: str, name: str) -> tuple[str, object] | None:
    """What the parent raises in the place of an error: kind and faults. None: a bug."""
    kind = type(error).__name__
    if isinstance(error, UserError):
        return kind, [asdict(fault) for fault in error.faults]
    if isinstance(error, SolonError):
        return kind, str(error)
    if is_out_of_memory(error):
        what = f"the process of stage {name} ran out of memory; what was done is kept ({_LESS_MEMORY})"
        return ProcessError.__name__, what
    if isinstance(error, OSError) and error.errno in FULL:  # outside the run's folder, else it were a `RunError`
        what = f"cannot write {error.filename or 'a file'}: {os.strerror(error.errno)}"
        return RunError.__name__, [asdict(Fault(what, hint=f"free some space, then `solon resume {run}`"))]
    return None


def leave(code: int) -> None:
    """Ends the process with an exit code, at once: torch takes a second to be taken apart, and the threads that a group
    leaves behind where weights were in shards, even when it is destroyed, may abort Python's own end."""
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(code)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    leave(main(*sys.argv[1:]))
