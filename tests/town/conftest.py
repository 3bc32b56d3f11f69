from __future__ import annotations

import io

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
    """A few people voted on a real site, and `solon collect` did its work."""
    made = Folder(path=tmp_path_factory.mktemp("town"))
    vote(public, made, Reporter(io.StringIO()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "said_by", said_here)
        collect(made, public, Reporter(io.StringIO()))
    return made


@pytest.fixture(scope="session")
def found(public: Public, folder: Folder) -> Collected:
    return collected(folder, public)
