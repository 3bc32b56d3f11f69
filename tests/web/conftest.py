from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from web.visitor import Visitor, owner_of, site_in


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    return site_in(tmp_path / "site")


@pytest.fixture
def stranger(app: Starlette) -> Visitor:
    return Visitor(app)


@pytest.fixture
def owner(app: Starlette) -> Visitor:
    return owner_of(app)
