"""A run in processes that torchrun started. The first does it; the others wait until it tells them to help with a stage
that trains. All see the run's folder and its models, on one machine or on several.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from solon.artifacts.run_folder import run_config
from solon.errors import ProcessError
from solon.pipeline.stage import Stage
from solon.pipeline.work import Work, run_stage
from solon.pipeline.worker import work as work_on
from solon.progress import Reporter
from solon.train.parallel import is_lost, joined, launched, meeting_point

_SECONDS = 0.2
"""Between two looks for orders."""
_ORDERS = count()
"""Those given, or got, by this process."""


def do_together(stage: Stage, work: Work) -> None:
    """Does what is left to do of a stage that was begun, with all processes."""
    _tell([str(work.folder.run.resolve()), stage.name])
    with _told_of_loss(), joined(work.config.models.device) as group:
        run_stage(stage, replace(work, group=group))


@contextmanager
def _told_of_loss() -> Iterator[None]:
    """Raises `ProcessError` if another process of the group has gone."""
    try:
        yield
    except Exception as error:
        if not is_lost(error):
            raise
        raise ProcessError("a process of the group has gone; it says why itself; what was done is kept") from error


def release() -> None:
    """Lets the other processes end, if there are any."""
    if launched()[1] > 1:
        _tell(None)


def follow() -> None:
    """What all processes but the first do."""
    for run, name in _orders():
        with _told_of_loss(), joined(run_config(run).models.device) as group:
            work_on(run, name, Reporter(sys.stderr), group=group)


def _tell(order: list[str] | None) -> None:
    meeting_point().set(_key(), json.dumps(order))


def _orders() -> Iterator[tuple[Path, str]]:
    """(run, stage) until there are no more. Raises `ProcessError` if the first process has gone."""
    while True:
        key = _key()
        try:
            while not meeting_point().check([key]):
                time.sleep(_SECONDS)
            order = json.loads(meeting_point().get(key))
        except Exception as error:
            if not is_lost(error):
                raise
            raise ProcessError("the first process has gone") from error
        if order is None:
            return
        yield Path(order[0]), order[1]


def _key() -> str:
    return f"solon-order-{next(_ORDERS)}"
