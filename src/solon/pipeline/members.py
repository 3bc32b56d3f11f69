"""A stage that trains, in several processes of this machine: each is `python -m solon.pipeline.members RUN STAGE`, and
its environment says which of them it is, as torchrun's would.

The first reports like a `worker`, and all do so when they fail. This process hosts the place where they meet, and takes
no part: when one of them ends too early, it ends the others, whatever these wait for.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from subprocess import PIPE, Popen
from threading import Thread
from typing import TYPE_CHECKING

from solon.artifacts.run_folder import RunFolder, run_config
from solon.errors import ProcessError
from solon.pipeline import worker
from solon.pipeline.stage import Stage
from solon.progress import Reporter

if TYPE_CHECKING:
    from solon.pipeline.worker import LineReporter

COMMAND = (sys.executable, "-m", "solon.pipeline.members")
LOST, LOST_CODE = "lost", 3
"""The last line of a process that knows no more than that it reaches another one no longer, and its exit code."""
Lines = SimpleQueue[tuple[int, bytes | None]]
"""(rank, a line; None: it will say no more)."""


def run_in_members(
    stage: Stage, run: RunFolder, reporter: Reporter, note: Callable[[str], None], processes: int
) -> None:
    """Does a stage that was begun, in so many processes. An interrupt kills all of them.

    Raises what the first to fail raised, or `ProcessError` if one was killed.
    """
    lines: Lines = SimpleQueue()
    lost: list[str] = []
    calls = worker.calls(reporter, note) | {LOST: lost.append}
    with _started(stage, run, processes, lines) as members:
        left = processes
        while left:
            rank, line = lines.get()
            if line is None:
                _check(stage, rank, members[rank].wait())
                left -= 1
            elif line.endswith(b"\n"):  # a kill may cut the last one off
                name, *arguments = json.loads(line)
                calls[name](*arguments)
    if lost:
        what = f"the processes of stage {stage.folder} lost each other: {lost[0]}; what was done is kept"
        raise ProcessError(what)


def _check(stage: Stage, rank: int, code: int) -> None:
    """Raises if a process ended for a reason of its own."""
    if code < 0:
        raise ProcessError(worker.killed(stage, signal.Signals(-code)))
    if code not in (0, LOST_CODE):
        what = f"process {rank + 1} of stage {stage.folder} failed; it has told why on standard error"
        raise RuntimeError(what)


@contextmanager
def _started(stage: Stage, run: RunFolder, processes: int, lines: Lines) -> Iterator[list[Popen[bytes]]]:
    """The processes, by rank. When the block ends with an error, they are killed."""
    from solon.train.parallel import host

    port, _meeting_point = host()
    assert run.lock.descriptor is not None
    command, lock = [*COMMAND, str(run.path), stage.name], run.lock.descriptor
    with ExitStack() as stack:
        members = []
        for rank in range(processes):
            place = _place(rank, processes, port)
            # Each holds the lock until it has ended, and ends with this process; Ctrl-C is for this process.
            one = Popen(command, stdin=PIPE, stdout=PIPE, env=place, pass_fds=[lock], process_group=0)
            stack.callback(_ended, one)
            members.append(one)
            Thread(target=_listen, args=(rank, one, lines), daemon=True).start()
        yield members


def _place(rank: int, processes: int, port: int) -> Mapping[str, str]:
    """The environment of a process. The processors are shared out among all of them."""
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    return {
        "OMP_NUM_THREADS": str(threads),
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # none of them hosts it
    }


def _listen(rank: int, member: Popen[bytes], lines: Lines) -> None:
    assert member.stdout is not None
    for line in member.stdout:
        lines.put((rank, line))
    lines.put((rank, None))


def _ended(member: Popen[bytes]) -> None:
    """Kills it unless it has ended."""
    if member.poll() is None:
        os.killpg(member.pid, signal.SIGKILL)
    member.wait()
    if member.stdin is not None:
        member.stdin.close()


def take_part(run: Path, name: str, lines: LineReporter, _cluster: str | None = None) -> None:
    """Does this process's part of a stage that was begun."""
    from solon.train.parallel import is_lost, joined

    try:
        with joined(run_config(run).models.device) as group:
            worker.work(run, name, lines if group.first else Reporter(sys.stderr), group=group)
    except BaseException as error:
        if not is_lost(error):
            raise
        lines.send(LOST, str(error).partition("\n")[0])
        os._exit(LOST_CODE)


def main(arguments: Sequence[str]) -> int:
    """The exit code, as `worker.main`'s."""
    return worker.main(*arguments, does=take_part)


if __name__ == "__main__":
    worker.leave(main(sys.argv[1:]))
