from __future__ import annotations

import fcntl
import io
import os

import pytest

from solon.progress import Reporter
from solon.town import collect as collecting
from solon.town.collect import Collected, Folder, collect, collected
from solon.town.make import vote
from solon.town.public import Public
from town.towns import said_here, small_public


@pytest.fixture(scope="session")
def public() -> Public:
    return small_public()


@pytest.fixture(scope="session")
def folder(public: Public, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A few people voted on a real site, and `solon collect` did its work. Made by the first process of the tests that
    asks for it; the others find it, and none may change it."""
    temporary = tmp_path_factory.getbasetemp()
    made = Folder(path=(temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary) / "town")
    made.path.mkdir(exist_ok=True)
    with made.path.with_suffix(".lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setattr(collecting, "said_by", said_here)
        if not made.said("report").is_file():
            vote(public, made, Reporter(io.StringIO()))
            collect(made, public, Reporter(io.StringIO()))
    return made


@pytest.fixture(scope="session")
def found(public: Public, folder: Folder) -> Collected:
    return collected(folder, public)
