"""Decisions, removals, and what is deleted in time, where the SQL is not the same: with PostgreSQL as with SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from needs import POSTGRES
from web import test_moderating
from web.postgres_site import app, connections, migrated, server
from web.test_deploy import TestTidying
from web.test_moderating import TestRemoving, at, author, moderator
from web.visitor import the_site

pytestmark = pytest.mark.skipif(POSTGRES.place is None, reason=POSTGRES.reason)
__all__ = ["TestRemoving", "TestTidying", "app", "at", "author", "connections", "migrated", "moderator", "server"]


@pytest.fixture
def where(app: Starlette, tmp_path: Path) -> list[str]:
    url = the_site(app).settings.database_url
    return ["--folder", str(tmp_path / "site"), "--database", url]


class TestDeciding:
    """Which decision is the last, and that none is changed or lost."""

    test_a_second_look = test_moderating.TestDeciding.test_a_second_moderator_confirms_or_takes_back
    test_for_good = test_moderating.TestWhatIsKnown.test_decisions_cannot_be_changed
    test_of_whoever_leaves = test_moderating.TestWhatIsKnown.test_whoever_leaves_takes_their_statement_out_of_the_queue
